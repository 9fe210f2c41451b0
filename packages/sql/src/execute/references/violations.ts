/** Errors of foreign keys, in PostgreSQL's words. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TypeContext } from "../../types/registry.ts";
import type { ExecRow } from "../env.ts";
import type { Reference } from "./reference.ts";

/** A row refers to a key that is not there. */
export function missingKey(
	reference: Reference,
	row: ExecRow,
	context: TypeContext,
): DatabaseError {
	const { key, child, parent } = reference;
	const { schema, name } = child.table;
	const described = reference.describeChild(row, context);
	return new DatabaseError(
		"23503",
		`insert or update on table "${name}" violates foreign key constraint "${key.name}"`,
		{
			detail: reference.isMixed(row)
				? "MATCH FULL does not allow mixing of null and nonnull key values."
				: `Key ${described} is not present in table "${parent.table.name}".`,
			schema,
			table: name,
			constraint: key.name,
		},
	);
}

/** A key that goes is still referred to. `row`: of the referenced table. */
export function stillReferenced(
	reference: Reference,
	row: ExecRow,
	context: TypeContext,
): DatabaseError {
	const { key, child, parent } = reference;
	const { schema, name } = child.table;
	return new DatabaseError(
		"23503",
		`update or delete on table "${parent.table.name}" violates foreign key constraint "${key.name}" on table "${name}"`,
		{
			detail: `Key ${reference.describeParent(row, context)} is still referenced from table "${name}".`,
			schema,
			table: name,
			constraint: key.name,
		},
	);
}
