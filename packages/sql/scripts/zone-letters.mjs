// Writes src/types/zone-letters-data.ts: which letters zones have had for which offset, as the machine's zone data has it (TZif, RFC 8536).
// A folder with such data may follow; else /usr/share/zoneinfo.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? "/usr/share/zoneinfo";
const target = fileURLToPath(new URL("../src/types/zone-letters-data.ts", import.meta.url));

/** [unix second, seconds east, letters], the first from the beginning of time; undefined for what is no zone. */
function changesOf(bytes) {
	if (bytes.toString("latin1", 0, 4) !== "TZif") return undefined;
	const counts = (at) => [0, 1, 2, 3, 4, 5].map((i) => bytes.readInt32BE(at + 20 + i * 4));
	const [isUt, isStd, leaps, times, types, characters] = counts(0);
	// The second part has times of 8 bytes.
	const second = 44 + times * 5 + types * 6 + characters + leaps * 8 + isStd + isUt;
	const [, , , count, typeCount] = counts(second);
	const at = second + 44;
	const typesAt = at + count * 9;
	const lettersAt = typesAt + typeCount * 6;
	const type = (i) => {
		const from = lettersAt + bytes[typesAt + i * 6 + 5];
		return [
			bytes.readInt32BE(typesAt + i * 6),
			bytes.toString("latin1", from, bytes.indexOf(0, from)),
		];
	};
	const changes = [[undefined, ...type(0)]];
	for (let i = 0; i < count; i++) {
		const time = Number(bytes.readBigInt64BE(at + i * 8));
		changes.push([time, ...type(bytes[at + count * 8 + i])]);
	}
	return changes;
}

/** What data has no letters for has its offset instead. */
function entryOf(changes) {
	const byOffset = new Map();
	for (const [time, offset, letters] of changes) {
		const had = byOffset.get(offset);
		if (had === undefined) byOffset.set(offset, [letters]);
		else if (had.at(-1) !== letters) had.push(time, letters);
	}
	return [...byOffset]
		.filter(([, letters]) => letters.some((one) => /^[A-Z]/.test(one)))
		.map(([offset, letters]) => `|${offset} ${letters.join(" ")}`)
		.join("");
}

const zones = new Map();
for (const name of readdirSync(root, { recursive: true }).sort()) {
	if (!/^[A-Z][A-Za-z0-9_+/-]*$/.test(name)) continue;
	let bytes;
	try {
		bytes = readFileSync(`${root}/${name}`);
	} catch {
		continue;
	}
	const entry = entryOf(changesOf(bytes) ?? []);
	if (entry !== "") zones.set(entry, [...(zones.get(entry) ?? []), name]);
}
const lines = [...zones].map(([entry, names]) => names.join(" ") + entry);
writeFileSync(
	target,
	`/** Made by scripts/zone-letters.mjs: zones | an offset in seconds, its letters, and from which unix second on which others | ... */
export const zoneLettersData = \`
${lines.join("\n")}
\`;
`,
);
console.log(`${zones.size} entries`);
