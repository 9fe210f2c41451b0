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
