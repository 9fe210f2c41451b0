/** Which fields the rows of a type have: of a composite type its attributes, of the row type of a relation its columns. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RowField } from "../types/datum.ts";
import { isComposite, isRowType, objectIdOf } from "../types/made-oids.ts";
import {
	liveAttributes,
	liveColumns,
	type TableDescriptor,
	type ViewDescriptor,
} from "./descriptor.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

/** Whose rows are of the type. Undefined: it is no row type, or its relation is gone. */
export function relationOfType(
	catalog: CatalogSnapshot,
	oid: number,
): TableDescriptor | ViewDescriptor | undefined {
	const relation = isRowType(oid) ? catalog.relation(objectIdOf(oid)) : undefined;
	return relation?.kind === "table" || relation?.kind === "view" ? relation : undefined;
}

/** Throws 42704. */
export function rowFieldsIn(catalog: CatalogSnapshot, oid: number): readonly RowField[] {
	const type = isComposite(oid) ? catalog.relation(oid) : undefined;
	if (type?.kind === "type" && type.of === "composite") return liveAttributes(type);
	const relation = relationOfType(catalog, oid);
	if (relation === undefined) {
		throw new DatabaseError("42704", `type with OID ${oid} does not exist`);
	}
	return relation.kind === "table" ? liveColumns(relation) : relation.columns;
}
