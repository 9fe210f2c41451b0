/** Exports against a model that keeps every change, page by page; and what they wait for. */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, key, keySuccessor, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { IntentFilter } from "@quorate/storage/intent-filter";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { VersionBatch } from "@quorate/storage/version-batch";
import test from "ava";
import fc from "fast-check";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { exportChanges } from "./exports.ts";
import type { ExportedChange, RangeRequestBody } from "./requests.ts";

type Export = Extract<RangeRequestBody, { kind: "export" }>;

const names = ["a", "a\0", "a\0b", "b", "c\xfe"];

interface Parts {
	readonly engine: MemoryEngine;
	readonly threshold?: number;
	readonly blockers?: object;
}

const replicaOf = ({ engine, threshold = 0, blockers }: Parts): ReplicaCore =>
	({
		context: { engine },
		state: { gcThreshold: threshold },
		covers: () => true,
		holding: () => true,
		ownsSpan: () => true,
		blockers: {
			inSpan: (covered: Span) => ({ found: [], covered }),
			isAbove: () => false,
			...blockers,
		},
	}) as unknown as ReplicaCore;

function write(engine: MemoryEngine, k: Key, ts: number, value: Uint8Array | undefined): void {
	engine.write((batch) =>
		new VersionBatch(engine, batch, new IntentFilter()).put(k, ts as Timestamp, value),
	);
}

async function exported(
	replica: ReplicaCore,
	q: Export,
): Promise<{ readonly rows: readonly ExportedChange[]; readonly pages: number }> {
	const rows: ExportedChange[] = [];
	let { span, above } = q;
	for (let pages = 1; ; pages++) {
		const answer = await exportChanges(replica, { ...q, span, above });
		if (answer.kind !== "exported") throw new Error(`answered with ${answer.kind}`);
		rows.push(...answer.rows);
		if (answer.resume === null) return { rows, pages };
		span = { start: answer.resume.key, end: span.end };
		above = answer.resume.above;
	}
}

const shown = (rows: readonly ExportedChange[]): string[] =>
	rows.map(({ key: k, ts, value }) => `${JSON.stringify(k)} ${ts} ${value?.length}`);

const write$ = fc.record({
	name: fc.constantFrom(...names),
	length: fc.option(fc.constantFrom(0, 1, 3_000, 140_000), { freq: 3 }),
});

test("an export is what the model says, wherever its pages end", async (t) => {
	let most = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(write$, { maxLength: 40, size: "max" }),
			fc.nat(130),
			fc.nat(130),
			fc.boolean(),
			async (writes, one, other, base) => {
				const engine = new MemoryEngine();
				const changes = new Map<string, { ts: number; value: Uint8Array | null }[]>();
				for (const [i, { name, length }] of writes.entries()) {
					const value = length === null ? undefined : new Uint8Array(length);
					const list = changes.get(name) ?? [];
					write(engine, key(name), 10 + 2 * i, value);
					if (value === undefined && (list.at(-1)?.value ?? null) === null) continue;
					changes.set(name, [...list, { ts: 10 + 2 * i, value: value ?? null }]);
				}
				const [after, upTo] = [Math.min(one, other), Math.max(one, other)];
				const expected: ExportedChange[] = [];
				for (const name of [...changes.keys()].sort()) {
					const list = changes.get(name)!.filter(({ ts }) => ts <= upTo);
					const held = list.findLast(({ ts }) => ts <= after);
					const wanted = list.filter(({ ts }) => ts > after);
					if (base && held !== undefined && held.value !== null) wanted.unshift(held);
					expected.push(
						...wanted.map(({ ts, value }) => ({ key: key(name), ts: ts as Timestamp, value })),
					);
				}
				const span = { start: key(""), end: key("\xff") };
				const bounds = { after: after as Timestamp, upTo: upTo as Timestamp };
				const q: Export = { kind: "export", span, above: null, base, ...bounds };
				const { rows, pages } = await exported(replicaOf({ engine }), q);
				most = Math.max(most, pages);
				t.deepEqual(shown(rows), shown(expected));
			},
		),
		{ numRuns: 20, seed: 1 },
	);
	t.true(most > 2);
});

const k = key("k");
const span = { start: k, end: keySuccessor(k) };
const bounds = { after: 0 as Timestamp, upTo: 50 as Timestamp };
const q: Export = { kind: "export", span, above: null, base: false, ...bounds };

test("what may still commit at or below is waited for", async (t) => {
	const engine = new MemoryEngine();
	const transaction = "1/1.1/1" as TransactionId;
	const blocker: Blocker = { transaction, anchor: k, key: k, p: 20 as Timestamp, pending: true };
	let waits = 0;
	const blockers = {
		inSpan: () => ({ found: waits === 0 ? [blocker] : [], covered: span }),
		watch: (_: Blocker, wake: () => void) => {
			waits++;
			write(engine, k, 30, new Uint8Array(4));
			setImmediate(wake);
		},
	};
	const { rows } = await exported(replicaOf({ engine, blockers }), q);
	t.deepEqual(shown(rows), ['"k" 30 4']);
	t.is(waits, 1);
});

test("what will commit above is not", async (t) => {
	const blockers = {
		inSpan: () => ({ found: [{ key: k }], covered: span }),
		isAbove: () => true,
		watch: () => t.fail(),
	};
	t.deepEqual((await exported(replicaOf({ engine: new MemoryEngine(), blockers }), q)).rows, []);
});

test("an answer ends where intents were not looked at any more", async (t) => {
	const engine = new MemoryEngine();
	for (const name of names) write(engine, key(name), 10, new Uint8Array(1));
	const ends = [key("a\0b"), key("b"), key("b\0")];
	const blockers = {
		inSpan: ({ start, end }: Span) => ({
			found: [],
			covered: { start, end: ends.find((one) => one > start) ?? end },
		}),
	};
	const whole = { start: key(""), end: key("\xff") };
	const { rows, pages } = await exported(replicaOf({ engine, blockers }), { ...q, span: whole });
	t.deepEqual(
		rows.map((row) => row.key),
		names.map((name) => key(name)),
	);
	t.is(pages, 4);
});

test("below the GC threshold is an error", async (t) => {
	const answer = await exportChanges(replicaOf({ engine: new MemoryEngine(), threshold: 1 }), q);
	t.is(answer.kind === "error" ? answer.error.code : answer.kind, "72000");
});
