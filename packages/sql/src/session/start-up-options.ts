/** The `options` of a StartupMessage (PGOPTIONS): `-c name=value` and `--name=value`, words parted by white space, `\` before what is meant as it is. */
import { DatabaseError } from "@quorate/keys/database-error";

function wordsOf(text: string): readonly string[] {
	const words: string[] = [];
	for (const match of text.matchAll(/(?:\\.|[^\s\\])+/gs)) {
		words.push(match[0].replace(/\\(.)/gs, "$1"));
	}
	return words;
}

/** Throws 42601, 0A000. */
export function parseOptions(text: string): readonly (readonly [name: string, value: string])[] {
	const settings: [string, string][] = [];
	const words = wordsOf(text);
	for (let i = 0; i < words.length; i++) {
		const word = words[i]!;
		let assignment: string | undefined;
		if (word === "-c") assignment = words[++i];
		else if (word.startsWith("-c")) assignment = word.slice(2);
		else if (word.startsWith("--")) assignment = word.slice(2);
		const equals = assignment?.indexOf("=") ?? -1;
		if (assignment === undefined || equals <= 0) {
			throw new DatabaseError(
				"42601",
				`invalid command-line argument for server process: ${word}`,
				{
					severity: "FATAL",
					hint: "Use -c name=value, or --name=value.",
				},
			);
		}
		// Of dashes in names, underscores are meant.
		const name = assignment.slice(0, equals).replaceAll("-", "_");
		settings.push([name, assignment.slice(equals + 1)]);
	}
	return settings;
}
