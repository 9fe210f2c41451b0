/**
 * The crash matrix: at each message that a commit sends, before and after it, the coordinator, the anchor's leaseholder, a
 * participant's leaseholder die, and each two of them. Then within a bound nothing of the transaction is in anybody's way; all of it is
 * there or none; and what the client was told is true, with 40003 nowhere, for a coordinator that lives can learn the outcome.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import type { CancelSignal, Transaction, TransactionMode } from "@quorate/txn/types";
import { runTransaction } from "./client.ts";
import { type Cast, type CrashPoint, type Role, type Step, Tap } from "./crash-points.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

/** Virtual time from the deaths until everything can be read and locked, and no intent is left. */
export const cleanMsMax = 5_000;
/** What a transaction keeps before it sends a chunk. */
const bufferBytes = 1_000;
const rowBytes = 300;
const answerMs = 60_000;
const roles = ["anchor", "participant"] as const;
const startKeys: Readonly<Record<Role, Key>> = { anchor: key("a"), participant: key("p") };
const span = { start: startKeys.anchor, end: key("z") };
const neverCancelled: CancelSignal = { reason: undefined, onCancel: () => () => undefined };
const exclusive = { strength: "update", wait: "block" } as const;

export const rowsOf = (role: Role): readonly Key[] =>
	[0, 1, 2, 3, 4, 5].map((n) => key(`${startKeys[role]}${n}`));
const allRows = [...rowsOf("anchor"), ...rowsOf("participant")];

/** What a transaction does before its commit. `value`: what rows are to hold after it. */
export interface Script {
	readonly mode: TransactionMode;
	readonly run: (transaction: Transaction, value: (note?: string) => Uint8Array) => Promise<void>;
	/** Rows that it leaves as they were. */
	readonly untouched: readonly Key[];
	/** It is committed whoever dies but its coordinator; else that may end it with 40001. */
	readonly survives: boolean;
}

export type Told = "committed" | "nothing" | { readonly code: string };

export interface CellReport {
	readonly told: Told;
	readonly isThere: boolean | "half";
	readonly cleanMs: number;
	readonly problems: readonly string[];
}

/** Five nodes: two may die at once, and each range still has its quorum. */
export async function startCast(seed: number): Promise<Cast> {
	const cluster = new SimCluster(seed, { nodes: 5, limits: { bufferBytes } });
	await cluster.start();
	await cluster.run(cluster.splitAt([startKeys.anchor, startKeys.participant, span.end]), 60_000);
	const random = cluster.world.random("cast");
	// The control plane has three members, and needs two of them.
	const byId = [...cluster.nodes].sort((a, b) => a.nodeId - b.nodeId);
	const [witness, other, third] = random.shuffled(byId.slice(0, 3));
	const [gateway, anchor, participant] = random.shuffled([third!, ...byId.slice(3)]);
	const cast = { cluster, gateway, anchor, participant, witness } as Cast;
	for (const role of roles) {
		const ids = [cast[role], witness!, other!].map((n) => n.nodeId);
		const move = () =>
			cluster.administer("relocation", (n) => n.coordinator.relocate(startKeys[role], ids));
		await cluster.run(move(), 60_000);
	}
	await cluster.run(fill(cast), 60_000);
	await cluster.run(takePlaces(cast), 60_000);
	return cast;
}

async function fill({ cluster, witness }: Cast): Promise<void> {
	const kind = { mode: "optimistic", readOnly: false } as const;
	await cluster.until("the rows are written", 20_000, async () => {
		const outcome = await runTransaction(cluster, witness, kind, async (t) => {
			for (const k of allRows) t.put(k, Buffer.from("first"));
		});
		return outcome.status === "ok";
	});
}

/** Everybody is up, and the leases are where the parts say. */
async function takePlaces(cast: Cast): Promise<void> {
	const { cluster } = cast;
	for (const node of cluster.nodes) if (!node.isUp) node.start();
	await cluster.until("all nodes serve", 20_000, () =>
		cluster.nodes.every((n) => n.keyValue !== undefined),
	);
	// A lease that has just moved may go back with the lead of its group.
	await cluster.until("the leases are in their places", 30_000, async () => {
		for (const role of roles.filter((r) => !isInPlace(cast, r))) {
			const { nodeId } = cast[role];
			const key = startKeys[role];
			await cluster.administer("lease move", (n) => n.coordinator.moveLease(key, nodeId));
		}
		await cluster.world.sleep(50);
		return roles.every((r) => isInPlace(cast, r));
	});
	// So that the coordinator knows where they are.
	await readAll(cast, cast.gateway);
}

function isInPlace(cast: Cast, role: Role): boolean {
	const held = cast[role].keyValue?.store.statuses() ?? [];
	return held.some((s) => s.leaseholder && s.descriptor.start === startKeys[role]);
}

const readAll = (cast: Cast, node: SimNode) =>
	runTransaction(cast.cluster, node, { mode: "optimistic", readOnly: true }, async (t) => {
		const rows = new Map((await t.scan(span)).map((row) => [row.key, text(row.value)]));
		return rows;
	});

const text = (value: Uint8Array): string => Buffer.from(value).toString().trim();

/** The steps of a script that nobody disturbs. */
export async function stepsOf(cast: Cast, script: Script): Promise<readonly Step[]> {
	const tap = new Tap(cast, undefined);
	const { cluster } = cast;
	const told = await cluster.run(attempt(cast, script, "undisturbed"), answerMs);
	// What goes on in the background.
	await cluster.world.runFor(200);
	tap.end();
	assert(told === "committed", () => `an undisturbed transaction: ${JSON.stringify(told)}`);
	return tap.steps;
}

export function runCell(cast: Cast, script: Script, point: CrashPoint, name: string) {
	return cast.cluster.run(cell(cast, script, point, name), 4 * answerMs);
}

async function cell(
	cast: Cast,
	script: Script,
	point: CrashPoint,
	name: string,
): Promise<CellReport> {
	const { cluster, witness } = cast;
	const before = await readAll(cast, witness);
	assert(before.status === "ok", "nobody disturbs this read");
	const problems: string[] = [];
	const tap = new Tap(cast, point);
	const telling = attempt(cast, script, name);
	await cluster.until(`the crash of ${name}`, answerMs, () => tap.diedAtMs !== undefined);
	tap.end();
	const diedAtMs = tap.diedAtMs ?? cluster.world.nowMs;
	// A coordinator that lives goes on: what it writes is in nobody's way before it has answered.
	if (!point.victims.includes("gateway")) await telling;
	const after = await untilClean(cast, diedAtMs);
	const told = await telling;
	const { cleanMs } = after;
	const isThere = whatIsThere(before.value, after.rows, script, name);
	if (isThere === "half") problems.push(`half of it: ${JSON.stringify([...after.rows])}`);
	if (cleanMs > cleanMsMax) problems.push(`in the way for ${cleanMs.toFixed(0)} ms`);
	if (told === "committed" && isThere !== true) problems.push("told that it was committed");
	if (told !== "committed" && told !== "nothing") {
		if (isThere !== false) problems.push(`told ${told.code}, and it was committed`);
		if (told.code !== "40001" || script.survives) problems.push(`told ${told.code}`);
	}
	if (told === "nothing" && !point.victims.includes("gateway")) problems.push("told nothing");
	problems.push(...cluster.problems.splice(0), ...cluster.delays.splice(0));
	await takePlaces(cast);
	problems.push(...cluster.problems.splice(0));
	return { told, isThere, cleanMs, problems };
}

/** What its client is told; nothing where its gateway dies first. */
async function attempt(cast: Cast, script: Script, name: string): Promise<Told> {
	const { gateway } = cast;
	const { coordinator, placement } = gateway.keyValue!;
	const transaction = coordinator.begin({
		isolation: "serializable",
		mode: script.mode,
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: placement.schemaVersion(),
	});
	transaction.beginStatement(neverCancelled);
	const work = async (): Promise<Told> => {
		let isCommitting = false;
		try {
			await script.run(transaction, (note = name) => Buffer.from(note.padEnd(rowBytes)));
			isCommitting = true;
			await transaction.commit();
			return "committed";
		} catch (error) {
			if (!(error instanceof DatabaseError)) throw error;
			if (!isCommitting) await transaction.rollback();
			return { code: error.code };
		}
	};
	return (await Promise.race([work(), gateway.ended])) ?? "nothing";
}

interface Clean {
	readonly rows: ReadonlyMap<Key, string>;
	readonly cleanMs: number;
}

/** Reads and locks, beside attempts that hang on somebody who is gone, until that works and no leaseholder has an intent. */
async function untilClean(cast: Cast, sinceMs: number): Promise<Clean> {
	const { cluster, witness } = cast;
	let rows: ReadonlyMap<Key, string> | undefined;
	let isLocked = false;
	while (cluster.world.nowMs < sinceMs + answerMs) {
		if (rows === undefined) {
			const reading = readAll(cast, witness).then((outcome) => {
				if (outcome.status === "ok") rows = outcome.value;
			});
			await Promise.race([reading, cluster.world.sleep(500)]);
		} else if (!isLocked) {
			const locking = lockAll(cast).then((ok) => {
				isLocked ||= ok;
			});
			await Promise.race([locking, cluster.world.sleep(500)]);
		} else if (intents(cluster) === 0) {
			return { rows, cleanMs: cluster.world.nowMs - sinceMs };
		}
		await cluster.world.sleep(10);
	}
	return { rows: rows ?? new Map(), cleanMs: cluster.world.nowMs - sinceMs };
}

async function lockAll({ cluster, witness }: Cast): Promise<boolean> {
	const kind = { mode: "pessimistic", readOnly: false } as const;
	const outcome = await runTransaction(cluster, witness, kind, async (t) => {
		for (const k of allRows) await t.get(k, true);
	});
	return outcome.status === "ok";
}

function intents(cluster: SimCluster): number {
	const held = cluster.serving().flatMap((n) => n.store.statuses());
	return held.reduce((sum, s) => sum + (s.leaseholder ? s.intents + s.pendingWrites : 0), 0);
}

function whatIsThere(
	before: ReadonlyMap<Key, string>,
	after: ReadonlyMap<Key, string>,
	script: Script,
	name: string,
): boolean | "half" {
	const isOld = (k: Key) => after.get(k) === before.get(k);
	const isNew = (k: Key) => (script.untouched.includes(k) ? isOld(k) : after.get(k) === name);
	if (allRows.every(isNew)) return true;
	return allRows.every(isOld) ? false : "half";
}

/** One for each way of committing, and one that locks what it writes. */
export const scripts = {
	"one phase": {
		mode: "optimistic",
		run: async (t, value) => {
			for (const k of rowsOf("anchor").slice(0, 2)) t.put(k, value());
		},
		untouched: [...rowsOf("anchor").slice(2), ...rowsOf("participant")],
		// Sent once, it is evaluated once (T5).
		survives: false,
	},
	"two phases": {
		mode: "optimistic",
		run: async (t, value) => {
			const [a, p] = [rowsOf("anchor")[0]!, rowsOf("participant")];
			await t.get([p[1]!]);
			t.put(a, value());
			t.put(p[0]!, value());
		},
		untouched: [...rowsOf("anchor").slice(1), ...rowsOf("participant").slice(1)],
		// Only what is sent before the end of a large one is sent again.
		survives: false,
	},
	locks: {
		mode: "pessimistic",
		run: async (t, value) => {
			const keys = [rowsOf("anchor")[0]!, rowsOf("participant")[0]!];
			for (const k of keys) await t.get([k], exclusive);
			for (const k of keys) t.put(k, value());
		},
		untouched: [...rowsOf("anchor").slice(1), ...rowsOf("participant").slice(1)],
		// Only what is sent before the end of a large one is sent again.
		survives: false,
	},
	large: {
		mode: "optimistic",
		run: async (t, value) => {
			for (const k of allRows) {
				t.put(k, value());
				await t.flush();
			}
		},
		untouched: [],
		survives: true,
	},
	savepoint: {
		mode: "optimistic",
		run: async (t, value) => {
			const [a, p] = [rowsOf("anchor"), rowsOf("participant")];
			const write = async (keys: readonly Key[], note?: string) => {
				for (const k of keys) {
					t.put(k, value(note));
					await t.flush();
				}
			};
			await write([...a.slice(0, 4), p[0]!]);
			const savepoint = t.savepoint();
			// Rows of before, and others, in chunks that are taken back.
			await write([...a.slice(3), ...p.slice(0, 4)], "taken back");
			await t.rollbackTo(savepoint);
			await write([p[1]!]);
		},
		untouched: [...rowsOf("anchor").slice(4), ...rowsOf("participant").slice(2)],
		// What a chunk has replaced is told once.
		survives: false,
	},
} as const satisfies Readonly<Record<string, Script>>;
