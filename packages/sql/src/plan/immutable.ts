/** Whether an expression means the same in every session and on every node. */
import { isMade, isMadeArray } from "../types/made-oids.ts";
import { typeByOid } from "../types/registry.ts";
import { type Bound, type Comparison, someNode } from "./bound.ts";

/** Dates and times as texts, and with zones, look as the session's settings say. */
export function isImmutable(node: Bound): boolean {
	if (node.kind === "call") return node.fn.volatility === "immutable" || isConcatenation(node);
	if (!comparisonsOf(node).every(({ fn }) => fn.volatility === "immutable")) return false;
	// The conditions of a domain change without the expression.
	if (node.kind === "domain") return false;
	if (node.kind !== "cast") return true;
	const [from, to] = [node.args[0]!.type.oid, node.type.oid];
	// So do the labels of an enum, and the attributes of a composite type.
	if (from !== to && [from, to].some((oid) => isMade(oid) || isMadeArray(oid))) return false;
	// And names of relations.
	if (from !== to && [from, to].some(isName)) return from === 26 || to === 26;
	const zoned = [from, to].filter((oid) => oid === 1184 || oid === 1266).length;
	const temporal = [from, to].filter((oid) => "DT".includes(typeByOid(oid)!.category)).length;
	return from === to || temporal === 0 || (temporal === 2 && zoned !== 1);
}

/** Types whose text is the same everywhere. */
const plainTexts = new Set([16, 20, 21, 23, 25, 1042, 1043, 1700, 2950]);

/** Of a text with something that is not: as stable as that is as a text. */
const isConcatenation = (node: Extract<Bound, { kind: "call" }>): boolean =>
	node.operator && node.name === "||" && node.args.every(({ type }) => plainTexts.has(type.oid));

/** What only some kinds have. */
function comparisonsOf(node: Bound): readonly Comparison[] {
	if (node.kind === "in-list") return node.comparisons;
	if (node.kind === "distinct-from" || node.kind === "nullif" || node.kind === "quantified") {
		return [node.comparison];
	}
	return [];
}

/** Names of relations and the like. */
export const isName = (oid: number): boolean =>
	[24, 2202, 2203, 2204, 2205, 2206, 4089, 4096].includes(oid);

/** Of an expression without others' rows in it. */
export const isPure = (bound: Bound): boolean =>
	!someNode(bound, (node) => node.kind === "subquery" || !isImmutable(node));
