/** What concerns where rows lie: those of temporary tables lie in no range. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { isTemporary } from "../catalog/temporary.ts";

/** Throws 42809. */
export function requirePlaced(table: TableDescriptor): void {
	if (!isTemporary(table)) return;
	throw new DatabaseError("42809", `table "${table.name}" is temporary`, {
		detail: "Its rows are kept by the session, in no range.",
	});
}
