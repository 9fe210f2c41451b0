/** ALTER TYPE ... RENAME VALUE in expressions that are kept as text: a value of the type stands there by its label. */
import { plainLiteral, quoteLiteral } from "../functions/quoting-functions.ts";
import { typeReference } from "../types/enum-types.ts";

/** Quoted names, and literals of both kinds. */
const quoted = /"(?:[^"]|"")*"|E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'/gs;

/** Undefined: what the text means by such a literal cannot be told. */
export function withRenamedLabel(
	text: string,
	oid: number,
	from: string,
	to: string,
): string | undefined {
	const reference = `::${typeReference(oid)}`;
	const labels = [plainLiteral(from), quoteLiteral(from)];
	let isClear = true;
	const renamed = text.replace(quoted, (literal, at: number) => {
		const after = text.slice(at + literal.length);
		if (after.startsWith(`${reference}[]`)) {
			if (bare(literal).includes(bare(from))) isClear = false;
			return literal;
		}
		if (!labels.includes(literal)) return literal;
		if (after.startsWith(reference)) return plainLiteral(to);
		// Constants of other types say so; texts from before they did say nothing.
		if (!after.startsWith("::")) isClear = false;
		return literal;
	});
	return isClear ? renamed : undefined;
}

/** However it is quoted. */
const bare = (text: string): string => text.replace(/['"\\]/g, "");
