/** aclexplode: who granted what to whom, a row a right. */
import { nameOfLetter } from "../catalog/acl.ts";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, SetFunction } from "../types/registry.ts";

/** `ann=ar*w/quorate`; a name in quotes may hold anything, none is PUBLIC. */
const form = /^("(?:[^"]|"")*"|[^=]*)=([^/]*)\/(.*)$/s;

function* explode(item: string, context: FunctionContext): Iterable<readonly Datum[]> {
	const [, grantee = "", granted = "", grantor = ""] = form.exec(item) ?? [];
	const oidOf = (name: string): Datum =>
		name === "" ? 0 : context.catalogCall("to_regrole", [name]);
	for (const [, letter = "", star] of granted.matchAll(/(\w)(\*?)/g)) {
		yield [oidOf(grantor), oidOf(grantee), nameOfLetter(letter), star === "*"];
	}
}

export const aclSet: SetFunction = {
	name: "aclexplode",
	args: [OID.aclitemArray],
	columns: [
		{ name: "grantor", oid: OID.oid },
		{ name: "grantee", oid: OID.oid },
		{ name: "privilege_type", oid: OID.text },
		{ name: "is_grantable", oid: OID.bool },
	],
	*call([list], context) {
		for (const item of flatten(list as ArrayValue)) yield* explode(String(item), context);
	},
};
