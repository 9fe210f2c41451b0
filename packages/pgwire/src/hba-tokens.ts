/**
 * The lines of pg_hba.conf and pg_ident.conf: fields parted by white space, the items of a field by commas. `@name` stands for the
 * words of that file. A backslash at its end continues a line, # begins a comment.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export interface Token {
	readonly text: string;
	/** In quotes a word stands for itself: "all" is a name. */
	readonly quoted: boolean;
}

export interface TokenLine {
	/** 1-based. */
	readonly line: number;
	readonly fields: readonly (readonly Token[])[];
}

/** The text of the file that `@name` stands for. */
export type ReadNamed = (name: string) => Promise<string>;

const nestingMax = 10;

/** Throws F0000, which names the line, and what `read` throws. */
export async function readTokens(text: string, read: ReadNamed): Promise<readonly TokenLine[]> {
	const found: TokenLine[] = [];
	for (const { line, fields } of linesOf(text)) {
		// A file without a word leaves a field that nothing fits, not a line with a field less.
		const expanded: (readonly Token[])[] = [];
		for (const field of fields) expanded.push(await withFiles(field, read, line, 0));
		found.push({ line, fields: expanded });
	}
	return found;
}

async function withFiles(
	field: readonly Token[],
	read: ReadNamed,
	line: number,
	depth: number,
): Promise<readonly Token[]> {
	const tokens: Token[] = [];
	for (const token of field) {
		if (token.quoted || !/^@./.test(token.text)) {
			tokens.push(token);
			continue;
		}
		if (depth === nestingMax) throw invalidLine(line, `"${token.text}" is nested too deep`);
		for (const { fields } of linesOf(await read(token.text.slice(1)))) {
			tokens.push(...(await withFiles(fields.flat(), read, line, depth + 1)));
		}
	}
	return tokens;
}

export const invalidLine = (line: number, message: string, hint?: string): DatabaseError =>
	new DatabaseError("F0000", `line ${line}: ${message}`, hint === undefined ? {} : { hint });

function linesOf(text: string): readonly TokenLine[] {
	const found: TokenLine[] = [];
	const lines = text.split(/\r?\n/);
	for (let i = 0; i < lines.length; i++) {
		const line = i + 1;
		let whole = lines[i] ?? "";
		while (whole.endsWith("\\") && i + 1 < lines.length) whole = whole.slice(0, -1) + lines[++i];
		const fields = fieldsOf(whole, line);
		if (fields.length > 0) found.push({ line, fields });
	}
	return found;
}

function fieldsOf(line: string, number: number): Token[][] {
	const fields: Token[][] = [];
	let continues = false;
	let at = 0;
	while (at < line.length) {
		const rest = line.slice(at);
		const space = /^\s+/.exec(rest);
		if (space !== null) {
			at += space[0].length;
			continue;
		}
		if (rest.startsWith("#")) break;
		if (rest.startsWith(",")) {
			continues = true;
			at++;
			continue;
		}
		const match = /^(?:[^\s,#"]+|"(?:[^"]|"")*")+/.exec(rest);
		if (match === null) throw invalidLine(number, "a quotation mark is not closed");
		const token = { text: unquoted(match[0]), quoted: match[0].startsWith('"') };
		if (continues) fields.at(-1)?.push(token);
		else fields.push([token]);
		continues = false;
		at += match[0].length;
	}
	return fields;
}

/** Two quotation marks within a pair are one. */
const unquoted = (word: string): string =>
	word.replace(/"((?:[^"]|"")*)"/g, (_, inside: string) => inside.replaceAll('""', '"'));
