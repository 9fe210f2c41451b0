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

export function similarToEscape(pattern: string, escapeCharacter = "\\"): string {
	if ([...escapeCharacter].length > 1) {
		throw new DatabaseError("22025", "invalid escape string", {
			hint: "Escape string must be empty or one character.",
		});
	}
	let out = "^(?:";
	let inBrackets = false;
	let escaped = false;
	for (const character of pattern) {
		if (escaped) {
			out += `\\${character}`;
			escaped = false;
		} else if (character === escapeCharacter) {
			escaped = true;
		} else if (inBrackets) {
			out += character === "\\" ? "\\\\" : character;
			inBrackets = character !== "]";
		} else {
			out += TRANSLATIONS[character] ?? character;
			inBrackets = character === "[";
		}
	}
	return `${out})$`;
}
