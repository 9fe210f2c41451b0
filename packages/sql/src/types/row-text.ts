/** The text form of rows: (1,,"a b"), where nothing between two commas is NULL (record_in). */
import { DatabaseError } from "@quorate/keys/database-error";

/** Texts of the fields, null for NULL. Throws 22P02. */
export function splitRow(text: string, count: number): readonly (string | null)[] {
	const malformed = (detail: string): DatabaseError =>
		new DatabaseError("22P02", `malformed record literal: "${text}"`, { detail });
	let at = text.length - text.trimStart().length;
	if (text[at] !== "(") throw malformed("Missing left parenthesis.");
	at++;
	const fields: (string | null)[] = [];
	for (let i = 0; i < count; i++) {
		if (i > 0) {
			if (text[at] !== ",") throw malformed("Too few columns.");
			at++;
		}
		if (text[at] === "," || text[at] === ")") {
			fields.push(null);
			continue;
		}
		const field = readField(text, at);
		if (field === undefined) throw malformed("Unexpected end of input.");
		fields.push(field.text);
		at = field.next;
	}
	if (text[at] !== ")") throw malformed("Too many columns.");
	if (text.slice(at + 1).trim() !== "") throw malformed("Junk after right parenthesis.");
	return fields;
}

/** Quotes may stand anywhere in it, and what is within them is taken as it is. Undefined: the text ends before it does. */
function readField(
	text: string,
	from: number,
): { readonly text: string; readonly next: number } | undefined {
	let out = "";
	let isQuoted = false;
	for (let at = from; at < text.length; at++) {
		const character = text[at]!;
		if (!isQuoted && (character === "," || character === ")")) return { text: out, next: at };
		if (character === "\\") {
			at++;
			if (at === text.length) return undefined;
			out += text[at];
		} else if (character !== '"') {
			out += character;
		} else if (isQuoted && text[at + 1] === '"') {
			out += '"';
			at++;
		} else {
			isQuoted = !isQuoted;
		}
	}
	return undefined;
}
