/** The few key words that decide which literals of a statement are lifted, recognised without making a string. */

export const OTHER = 0;
export const SELECT = 1;
export const WHERE = 2;
export const VALUES = 3;
export const BY = 4;
/** Words that end an ORDER BY or GROUP BY list, or the WHERE clause before them. */
export const GROUP = 5;
export const DISTINCT = 6;
export const ON = 7;
export const CLAUSE = 8;
export const LIMIT = 9;
/** Types whose name takes modifiers in parentheses. */
export const SIZED_TYPE = 10;
export const INSERT = 11;
/** Other words that open a statement whose literals are lifted. */
export const OPENS_LIFTED = 12;
export const TRUE = 13;
export const FALSE = 14;
export const NULL = 15;
export const DEFAULT = 16;

const WORDS: readonly (readonly [string, number])[] = [
	["select", SELECT],
	["where", WHERE],
	["values", VALUES],
	["by", BY],
	["group", GROUP],
	["distinct", DISTINCT],
	["on", ON],
	["order", CLAUSE],
	["having", CLAUSE],
	["window", CLAUSE],
	["union", CLAUSE],
	["intersect", CLAUSE],
	["except", CLAUSE],
	["for", CLAUSE],
	["returning", CLAUSE],
	["limit", LIMIT],
	["offset", LIMIT],
	["fetch", LIMIT],
	["char", SIZED_TYPE],
	["character", SIZED_TYPE],
	["varchar", SIZED_TYPE],
	["varying", SIZED_TYPE],
	["bpchar", SIZED_TYPE],
	["nchar", SIZED_TYPE],
	["numeric", SIZED_TYPE],
	["decimal", SIZED_TYPE],
	["dec", SIZED_TYPE],
	["float", SIZED_TYPE],
	["bit", SIZED_TYPE],
	["time", SIZED_TYPE],
	["timetz", SIZED_TYPE],
	["timestamp", SIZED_TYPE],
	["timestamptz", SIZED_TYPE],
	["interval", SIZED_TYPE],
	["second", SIZED_TYPE],
	["insert", INSERT],
	["update", OPENS_LIFTED],
	["delete", OPENS_LIFTED],
	["with", OPENS_LIFTED],
	["execute", OPENS_LIFTED],
	["table", OPENS_LIFTED],
	["true", TRUE],
	["false", FALSE],
	["null", NULL],
	["default", DEFAULT],
];

interface Word {
	readonly codes: readonly number[];
	readonly meaning: number;
}

/** By length and first letter: at most a handful of words each. */
const TABLE: (readonly Word[] | undefined)[] = (() => {
	const table: (Word[] | undefined)[] = new Array(16 * 32);
	for (const [text, meaning] of WORDS) {
		const slot = text.length * 32 + (text.charCodeAt(0) & 31);
		const codes = Array.from(text, (c) => c.charCodeAt(0));
		table[slot] = [...(table[slot] ?? []), { codes, meaning }];
	}
	return table;
})();

export function wordMeaning(text: string, start: number, end: number): number {
	const length = end - start;
	if (length > 11) {
		return OTHER;
	}
	const candidates = TABLE[length * 32 + (text.charCodeAt(start) & 31)];
	if (candidates === undefined) {
		return OTHER;
	}
	for (const { codes, meaning } of candidates) {
		let i = 0;
		// | 32 makes ASCII letters lower case; what it makes equal by accident is no word character.
		while (i < length && (text.charCodeAt(start + i) | 32) === codes[i]) {
			i += 1;
		}
		if (i === length) {
			return meaning;
		}
	}
	return OTHER;
}
