/** Whether an expression means the same in every session and on every node. */
import { isEnum, isEnumArray } from "../types/enum-types.ts";
import { typeByOid } from "../types/registry.ts";
import { type Bound, someNode } from "./bound.ts";

/** Dates and times as texts, and with zones, look as the session's settings say. */
export function isImmutable(node: Bound): boolean {
	if (node.kind === "call") return node.fn.volatility === "immutable";
	// The conditions of a domain change without the expression.
	if (node.kind === "domain") return false;
	if (node.kind !== "cast") return true;
	const [from, to] = [node.args[0]!.type.oid, node.type.oid];
	// So do the labels of an enum.
	if (from !== to && [from, to].some((oid) => isEnum(oid) || isEnumArray(oid))) return false;
	const zoned = [from, to].filter((oid) => oid === 1184 || oid === 1266).length;
	const temporal = [from, to].filter((oid) => "DT".includes(typeByOid(oid)!.category)).length;
	return from === to || temporal === 0 || (temporal === 2 && zoned !== 1);
}

/** Of an expression without others' rows in it. */
export const isPure = (bound: Bound): boolean =>
	!someNode(bound, (node) => node.kind === "subquery" || !isImmutable(node));
