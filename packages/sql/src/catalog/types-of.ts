/** Which of the types that somebody has made a relation or another type needs. */
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn } from "../types/enum-types.ts";
import { isMade, namedOid } from "../types/made-oids.ts";
import { liveAttributes, liveColumns, type RelationDescriptor, storedTexts } from "./descriptor.ts";

/** Object ids, of an array's that of its elements' type. */
export function madeTypesOf(relation: RelationDescriptor): readonly number[] {
	switch (relation.kind) {
		case "sequence":
			return [];
		case "view":
			return (relation.types ?? []).map(({ oid }) => namedOid(oid));
		case "table":
			return [...namedBy(liveColumns(relation)), ...inTexts(storedTexts(relation))];
		default:
			break;
	}
	if (relation.of === "composite") return namedBy(liveAttributes(relation));
	if (relation.of === "enum") return [];
	const texts = [relation.defaultText ?? "", ...relation.checks.map(({ text }) => text)];
	return [...namedBy([{ type: relation.base }]), ...inTexts(texts)];
}

const namedBy = (parts: readonly { readonly type: SqlType }[]): readonly number[] =>
	parts.flatMap(({ type: { oid, domain } }) => {
		const named = namedOid(domain ?? oid);
		return domain !== undefined || isMade(named) ? [named] : [];
	});

const inTexts = (texts: readonly string[]): readonly number[] =>
	texts.flatMap(typesNamedIn).map(namedOid);

/**
 * Which fields the rows have that are values of a table's columns, or parts of such values: stored values are as their types were then. Undefined:
 * it has none. `find`: an object of the catalog.
 */
export function fieldsIn(
	table: RelationDescriptor,
	find: (oid: number) => { readonly kind: string } | undefined,
): string | undefined {
	const fields: string[] = [];
	const seen = new Set<number>();
	const look = (oid: number): void => {
		if (seen.has(oid)) return;
		seen.add(oid);
		const type = find(oid) as RelationDescriptor | undefined;
		if (type?.kind !== "type") return;
		if (type.of === "domain") namedBy([{ type: type.base }]).forEach(look);
		if (type.of !== "composite") return;
		const attributes = liveAttributes(type);
		const shown = attributes.map((one) => `${one.attnum}:${one.type.oid}:${one.type.modifier}`);
		fields.push(`${oid} ${shown.join()}`);
		namedBy(attributes).forEach(look);
	};
	if (table.kind === "table") namedBy(liveColumns(table)).forEach(look);
	return fields.length === 0 ? undefined : fields.join(" ");
}
