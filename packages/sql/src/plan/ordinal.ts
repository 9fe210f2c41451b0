/** ORDER BY 1: an integer that stands for an output column. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression } from "../parser/ast.ts";
import type { Binder } from "./binder.ts";

/** The slot, or undefined where the expression is none. Throws 42P10. */
export function ordinalOf(
	binder: Binder,
	node: Expression,
	count: number,
	clause: string,
): number | undefined {
	const isLiteral = node.kind === "literal" || node.kind === "lifted";
	if (!isLiteral) return undefined;
	if (node.type !== "integer") {
		throw new DatabaseError("42601", `non-integer constant in ${clause}`, {
			position: node.at + 1,
		});
	}
	const text = node.kind === "literal" ? node.text : binder.pinnedText(node.index);
	const ordinal = Number(text);
	if (ordinal < 1 || ordinal > count) {
		throw new DatabaseError("42P10", `${clause} position ${text} is not in select list`, {
			position: node.at + 1,
		});
	}
	return ordinal - 1;
}
