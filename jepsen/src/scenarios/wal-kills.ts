/** A process that writes to a log is killed again and again, each time somewhere else: what it had acknowledged is recovered. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ended, signalOwned, spawnOwned } from "../harness/owned-processes.ts";
import { SeededRandom } from "../workload/random.ts";
import type { Violations } from "./scenario.ts";

export interface WalKillsOptions {
	readonly kills: number;
	/** At most so many acknowledgements between two kills. */
	readonly pace: number;
	readonly seed: number;
	log(line: string): void;
}

const writer = fileURLToPath(new URL("../soak/wal-writer.js", import.meta.url));
const reportEvery = 10;

export async function walKills(options: WalKillsOptions): Promise<Violations> {
	const { kills, pace, seed, log } = options;
	const random = new SeededRandom(seed);
	const directory = mkdtempSync(join(tmpdir(), "quorate-wal-"));
	const acknowledged = new Map<string, number>();
	let count = 0;
	try {
		for (let kill = 0; kill <= kills; kill++) {
			const life = await oneLife(directory, kill === kills ? 0 : random.between(1, pace));
			for (const line of life.recovered) {
				const [word, group = "", , last] = line.split(" ");
				if (word !== "have" || Number(last) < (acknowledged.get(group) ?? 0)) {
					return [`after ${kill} kills: ${line}; acknowledged ${acknowledged.get(group) ?? 0}`];
				}
			}
			if (!life.ready || life.recovered.length < acknowledged.size) {
				return [`after ${kill} kills: recovered only ${life.recovered.join(", ")}; ${life.rest}`];
			}
			for (const [group, index] of life.acknowledged) {
				acknowledged.set(group, index);
				count++;
			}
			if (kill > 0 && kill % reportEvery === 0) {
				log(`${kill} of ${kills} kills, ${count} entries acknowledged`);
			}
		}
		return [];
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

interface Life {
	readonly recovered: readonly string[];
	readonly ready: boolean;
	/** Group and index, in order. */
	readonly acknowledged: readonly (readonly [string, number])[];
	/** Lines of another form. */
	readonly rest: string;
}

/** Killed after so many acknowledgements; 0: as soon as it has recovered. */
async function oneLife(directory: string, acknowledgements: number): Promise<Life> {
	const child = spawnOwned(process.execPath, [writer, directory], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	const recovered: string[] = [];
	const acknowledged: [string, number][] = [];
	let ready = false;
	let rest = "";
	child.stderr!.setEncoding("utf8").on("data", (text: string) => {
		rest += text;
	});
	// To the end: what it had said before it died counts.
	for await (const line of createInterface({ input: child.stdout! })) {
		const [word, group = "", index] = line.split(" ");
		if (word === "ready") ready = true;
		else if (word === "ack") acknowledged.push([group, Number(index)]);
		else recovered.push(line);
		if (ready && acknowledged.length >= acknowledgements) {
			signalOwned(child, "SIGKILL");
		}
	}
	await ended(child);
	return { recovered, ready, acknowledged, rest };
}
