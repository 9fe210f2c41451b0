/** What zones are called at a time: EST, CEST. Intl's data has names of a few countries only; these are of the zone database itself. */
import { zoneLettersData } from "./zone-letters-data.ts";

/** Letters by offset, the newest first, each with the unix second from which it holds. */
type Letters = ReadonlyMap<number, readonly { readonly since: number; readonly letters: string }[]>;

/** By folded names of zones; read when the first is asked for. */
let entries: ReadonlyMap<string, string> | undefined;
const read = new Map<string, Letters>();

function entriesByZone(): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	for (const line of zoneLettersData.trim().split("\n")) {
		const bar = line.indexOf("|");
		for (const zone of line.slice(0, bar).toLowerCase().split(" ")) {
			found.set(zone, line.slice(bar + 1));
		}
	}
	return found;
}

function lettersOf(entry: string): Letters {
	return new Map(
		entry.split("|").map((text) => {
			const [offset, first, ...later] = text.split(" ");
			const spans = [{ since: Number.NEGATIVE_INFINITY, letters: first! }];
			for (let i = 0; i < later.length; i += 2) {
				spans.unshift({ since: Number(later[i]), letters: later[i + 1]! });
			}
			return [Number(offset), spans] as const;
		}),
	);
}

/** Undefined: for zones that are called by their offset. */
export function zoneLetters(zone: string, offset: number, unixSeconds: number): string | undefined {
	entries ??= entriesByZone();
	const folded = zone.toLowerCase();
	const entry = entries.get(folded);
	let letters = read.get(folded);
	if (letters === undefined && entry !== undefined) {
		letters = lettersOf(entry);
		read.set(folded, letters);
	}
	return letters?.get(offset)?.find(({ since }) => since <= unixSeconds)?.letters;
}
