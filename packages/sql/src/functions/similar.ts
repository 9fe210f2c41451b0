/** SIMILAR TO: SQL's regular expressions become POSIX ones that match the whole text (similar_escape_internal). */
import { DatabaseError } from "@quorate/keys/database-error";

/** Outside of brackets; what is not here stands for itself. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
	"%": ".*",
	_: ".",
	"(": "(?:",
	"\\": "\\\\",
	".": "\\.",
	"^": "\\^",
	$: "\\$",
};

/**
 * Between two pairs of the escape character and " stands what SUBSTRING is to find: one part, two or three, in POSIX's syntax. Throws
 * 22025, 2200C.
 */
export function similarParts(pattern: string, escapeCharacter: string): readonly string[] {
	if ([...escapeCharacter].length > 1) {
		throw new DatabaseError("22025", "invalid escape string", {
			hint: "Escape string must be empty or one character.",
		});
	}
	const parts = [""];
	const add = (text: string): void => {
		parts.push(parts.pop() + text);
	};
	let inBrackets = false;
	let escaped = false;
	for (const character of pattern) {
		if (escaped) {
			if (character !== '"' || inBrackets) add(`\\${character}`);
			else if (parts.push("") > 3) throw tooManySeparators();
			escaped = false;
		} else if (character === escapeCharacter) {
			escaped = true;
		} else if (inBrackets) {
			add(character === "\\" ? "\\\\" : character);
			inBrackets = character !== "]";
		} else {
			add(TRANSLATIONS[character] ?? character);
			inBrackets = character === "[";
		}
	}
	return parts;
}

const tooManySeparators = (): DatabaseError =>
	new DatabaseError(
		"2200C",
		"SQL regular expression may not contain more than two escape-double-quote separators",
	);

export function similarToEscape(pattern: string, escapeCharacter = "\\"): string {
	const [before = "", wanted, after] = similarParts(pattern, escapeCharacter);
	if (wanted === undefined) return `^(?:${before})$`;
	return `^(?:${before}){1,1}?(${wanted}${after === undefined ? "" : `){1,1}(?:${after}`})$`;
}
