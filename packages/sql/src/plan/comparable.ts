/** What is sorted, grouped or made distinct has to be of a type that has an order. */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatType, typeByOid } from "../types/registry.ts";
import { type Bound, plainType } from "./bound.ts";

/** Throws 42883. */
export function requireComparable(bound: Bound, what: "equality" | "ordering", at: number): void {
	const { oid } = bound.type;
	if (typeByOid(oid)?.comparable !== false) return;
	throw new DatabaseError(
		"42883",
		`could not identify an ${what} operator for type ${formatType(plainType(oid))}`,
		{
			...(what === "ordering"
				? { hint: "Use an explicit ordering operator or modify the query." }
				: {}),
			...(at >= 0 ? { position: at + 1 } : {}),
		},
	);
}
