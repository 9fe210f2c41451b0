/** pg_get_keywords: the words of PostgreSQL 15, as drivers ask for them. */
import { allKeywords, isBareLabel } from "../parser/keywords.ts";
import { OID } from "../types/oids.ts";
import type { SetFunction } from "../types/registry.ts";

const categories: ReadonlyMap<string, string> = new Map([
	["U", "unreserved"],
	["C", "unreserved (cannot be function or type name)"],
	["T", "reserved (can be function or type name)"],
	["R", "reserved"],
]);

export const keywordSet: SetFunction = {
	name: "pg_get_keywords",
	args: [],
	columns: [
		{ name: "word", oid: OID.text },
		{ name: "catcode", oid: OID.char },
		{ name: "barelabel", oid: OID.bool },
		{ name: "catdesc", oid: OID.text },
		{ name: "baredesc", oid: OID.text },
	],
	call: () =>
		allKeywords().map(([word, category]) => {
			const isBare = isBareLabel(word);
			const label = isBare ? "can be bare label" : "requires AS";
			return [word, category, isBare, categories.get(category)!, label];
		}),
};
