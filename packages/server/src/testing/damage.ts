/**
 * For tests: real data directories of one node, and what the node says when a file of them is damaged. Of a single node nobody else
 * has a copy, so it must have everything that it acknowledged, or refuse, or stop when it meets the damage, naming the file.
 */
import { execFile } from "node:child_process";
import {
	cpSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rebuildHint } from "@quorate/keys/damage";
import type { Key } from "@quorate/keys/key";
import type { RunningNode } from "../node.ts";
import { digestOf, fatalCode, optimistic, refusedCode, startAlone } from "./damaged-node.ts";

const program = fileURLToPath(new URL("./damaged-node-main.js", import.meta.url));
const transactions = 500;
const writersAtOnce = 20;
const keysPerTransaction = 6;
const keyCount = 1_500;
/** Each an entry of the placement group: its log is compacted, so that there is a checkpoint. */
const ids = 120;

/** What was acknowledged. */
export type Content = ReadonlyMap<string, string>;

async function put(node: RunningNode, entries: readonly (readonly [string, string])[]) {
	const transaction = node.coordinator.begin({ ...optimistic, readOnly: false });
	transaction.beginStatement({ reason: undefined, onCancel: () => () => undefined });
	await transaction.readTimestamp();
	for (const [k, value] of entries) {
		transaction.put(k as Key, Buffer.from(value));
	}
	await transaction.commit();
}

/** Keys are written again and again; each value is longer than the key says. */
async function work(node: RunningNode, life: number, content: Map<string, string>): Promise<void> {
	for (let n = 0; n < transactions; n += writersAtOnce) {
		await Promise.all(
			Array.from({ length: writersAtOnce }, async (_, writer) => {
				const entries = Array.from({ length: keysPerTransaction }, (_, i) => {
					// Writers that run at once must not meet on a key.
					const slot = ((n * 31 + i * 7) % Math.floor(keyCount / writersAtOnce)) * writersAtOnce;
					const text = `${life}.${n}.${writer}.${i} `.repeat(12);
					return [`t${String(slot + writer).padStart(6, "0")}`, text] as const;
				});
				await put(node, entries);
				for (const [k, value] of entries) {
					content.set(k, value);
				}
			}),
		);
	}
}

export interface Template {
	readonly directory: string;
	readonly content: Content;
	readonly files: readonly string[];
}

/** `ending`: an orderly stop, or what a kill leaves, which is what the kernel has of a node that does nothing at the moment. */
export async function makeTemplate(root: string, ending: "stop" | "kill"): Promise<Template> {
	const live = mkdtempSync(join(root, "live-"));
	const directory = mkdtempSync(join(root, `${ending}-`));
	const content = new Map<string, string>();
	for (let life = 1; life <= 2; life++) {
		const node = await startAlone(live);
		await work(node, life, content);
		for (let n = 0; n < ids; n++) await node.placement.allocate("row", 1);
		// The last group commit is spared: it holds nothing that is looked for.
		await put(node, [["scratch", "1"]]);
		if (life === 2 && ending === "kill") {
			await untilNoted(live);
			cpSync(live, directory, { recursive: true });
		}
		await node.stop();
	}
	if (ending === "stop") {
		cpSync(live, directory, { recursive: true });
	}
	rmSync(live, { recursive: true });
	return { directory, content, files: filesOf(directory) };
}

/** The notes beside the log and the manifest are as long as what they speak of. */
async function untilNoted(directory: string): Promise<void> {
	const isNoted = (): boolean => {
		const segments = readdirSync(join(directory, "wal")).filter((name) => name.endsWith(".log"));
		const last = segments.sort().at(-1) as string;
		const position = readFileSync(join(directory, "wal", "position"));
		const manifest = readFileSync(join(directory, "engine.manifest"), "latin1").split(" ");
		return (
			position.readUInt32LE(16) === statSync(join(directory, "wal", last)).size &&
			Number(manifest[3]) === statSync(join(directory, "engine", manifest[2] as string)).size
		);
	};
	while (!isNoted()) {
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

function filesOf(directory: string): string[] {
	return readdirSync(directory, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(directory, join(entry.parentPath, entry.name)))
		.sort();
}

export type Damage =
	| { readonly kind: "cut"; readonly at: number }
	| { readonly kind: "flip"; readonly at: number }
	| { readonly kind: "remove" };

export type Verdict = "recovered" | "refused" | "stopped";

/** A process that stands still for so long has failed, on any machine. */
const limitMs = 600_000;

/** Throws, saying what is wrong, unless the node has everything, or refuses as it should. */
export async function judge(template: Template, file: string, damage: Damage): Promise<Verdict> {
	const directory = mkdtempSync(join(tmpdir(), "quorate-damaged-"));
	try {
		cpSync(template.directory, directory, { recursive: true });
		inflict(join(directory, file), damage);
		return await verdict(template, file, directory);
	} catch (error) {
		const what = `${file}, ${damage.kind} ${"at" in damage ? `at ${damage.at}` : ""}`;
		throw new Error(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

function inflict(path: string, damage: Damage): void {
	if (damage.kind === "remove") {
		rmSync(path);
		return;
	}
	const bytes = readFileSync(path);
	if (damage.kind === "cut") {
		writeFileSync(path, bytes.subarray(0, damage.at));
		return;
	}
	bytes[damage.at] = bytes[damage.at]! ^ (1 << (damage.at % 8));
	writeFileSync(path, bytes);
}

async function verdict(template: Template, file: string, directory: string): Promise<Verdict> {
	const { code, out, err } = await runNode(directory);
	if (code === 0) {
		if (out.trim() !== digestOf(template.content)) {
			throw new Error(`the node serves ${out}, not ${digestOf(template.content)}\n${err}`);
		}
		return "recovered";
	}
	if (code !== refusedCode && code !== fatalCode) {
		throw new Error(`the node ended with ${code}: ${out}${err}`);
	}
	checkAdvice(file, code === fatalCode ? err : out);
	return code === fatalCode ? "stopped" : "refused";
}

interface Ended {
	readonly code: number | string | null;
	readonly out: string;
	readonly err: string;
}

/** A process of its own: it may end in the middle of anything. */
function runNode(directory: string): Promise<Ended> {
	const options = { timeout: limitMs, killSignal: "SIGKILL" } as const;
	return new Promise((resolve) => {
		execFile(process.execPath, [program, directory], options, (error, out, err) => {
			resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), out, err });
		});
	});
}

/** It names the file, or the part of the directory that has lost something, and says what to do. */
function checkAdvice(file: string, text: string): void {
	const [part] = file.split("/");
	const name = file.split("/").at(-1) as string;
	const isNamed = text.includes(name) || (file.startsWith("engine") && /\bengine\b/.test(text));
	if (!isNamed || !text.includes(rebuildHint)) {
		throw new Error(`the refusal names neither ${name} nor ${part}, or does not help: ${text}`);
	}
}

/** Mulberry32: the same seed damages the same. */
export function seeded(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
	};
}

export interface DamageCounts {
	readonly recovered: number;
	readonly refused: number;
	readonly stopped: number;
}

export interface DamageOptions {
	/** Damages of each file. */
	readonly perFile: number;
	readonly seed: number;
	log(line: string): void;
}

/** Goes over all files. Throws at the first wrong answer. */
export async function damageAll(
	template: Template,
	{ perFile, seed, log }: DamageOptions,
): Promise<DamageCounts> {
	const random = seeded(seed);
	const counts = { recovered: 0, refused: 0, stopped: 0 };
	let turn = seed;
	for (const file of template.files) {
		const { size } = statSync(join(template.directory, file));
		const damages: Damage[] = [];
		for (let n = 0; n < perFile; n++) {
			const kind = (["cut", "flip", "remove"] as const)[turn++ % 3]!;
			damages.push(
				kind === "remove" || size === 0 ? { kind: "remove" } : { kind, at: random(size) },
			);
		}
		const verdicts: Verdict[] = [];
		for (const damage of damages) {
			const result = await judge(template, file, damage);
			counts[result]++;
			verdicts.push(result);
		}
		log(`${file} (${size} bytes): ${verdicts.join(", ")}`);
	}
	return counts;
}
