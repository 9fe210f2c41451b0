/** Versions against a model that keeps every change of every key: run on each engine. */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import { type Timestamp, timestampMax } from "@quorate/keys/timestamp";
import type { ExecutionContext, TestFn } from "ava";
import fc from "fast-check";
import type { Engine, EngineReader } from "./engine.ts";
import { engineSpans, historySpan } from "./engine-keys.ts";
import { IntentFilter } from "./intent-filter.ts";
import { VersionBatch } from "./version-batch.ts";
import {
	changeBetween,
	changedBetween,
	type Intent,
	manyKeys,
	newest,
	newestChange,
	readAllAt,
	readAt,
	readIntent,
	readIntents,
	scanAt,
} from "./versions.ts";

const k = (text: string): Key => text as Key;
const at = (n: number): Timestamp => n as Timestamp;
const all: Span = { start: k(""), end: k("\xff") };

/** Changes of a key by rising timestamp; undefined is a deletion. */
type Change = readonly [number, string | undefined];

class VersionModel {
	readonly changes = new Map<string, Change[]>();
	readonly intents = new Map<string, string>();
	now = 10;
	threshold = 0;

	newestOf(key: string): Change | undefined {
		return this.changes.get(key)?.at(-1);
	}

	put(key: string, value: string | undefined): number {
		this.now += 3;
		const list = this.changes.get(key) ?? [];
		if (value !== undefined || list.at(-1)?.[1] !== undefined) {
			this.changes.set(key, [...list, [this.now, value]]);
		}
		return this.now;
	}

	readAt(key: string, s: number): Change | undefined {
		const seen = this.changes.get(key)?.findLast(([ts]) => ts <= s);
		return seen?.[1] === undefined ? undefined : seen;
	}

	rows(start: string, end: string, s: number, reverse: boolean): [string, number, string][] {
		const rows: [string, number, string][] = [];
		for (const key of [...this.changes.keys()].sort()) {
			const seen = start <= key && key < end ? this.readAt(key, s) : undefined;
			if (seen !== undefined) {
				rows.push([key, seen[0], seen[1] as string]);
			}
		}
		return reverse ? rows.reverse() : rows;
	}

	changedBetween(start: string, end: string, after: number, upTo: number): boolean {
		return [...this.changes].some(
			([key, list]) => start <= key && key < end && list.some(([ts]) => ts > after && ts <= upTo),
		);
	}
}

type Step =
	| {
			readonly kind: "put" | "delete" | "hot" | "intent" | "no-intent" | "check" | "expect";
			readonly key: string;
			readonly end: string;
			readonly a: number;
			readonly b: number;
			readonly reverse: boolean;
	  }
	| {
			readonly kind: "collect";
			readonly key: string;
			readonly end: string;
			readonly a: number;
			readonly b: number;
			readonly reverse: boolean;
	  };

const anyKey = fc
	.array(fc.constantFrom("\0", "\x01", "a", "b", "\xff"), { maxLength: 3 })
	.map((parts) => (parts[0] === "\xff" ? ["a", ...parts] : parts).join(""));

const step: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom(
		"put",
		"put",
		"put",
		"put",
		"delete",
		"delete",
		"hot",
		"intent",
		"no-intent",
		"check",
		"check",
		"check",
		"collect",
		"expect",
	),
	key: anyKey,
	end: anyKey,
	a: fc.nat(999),
	b: fc.nat(999),
	reverse: fc.boolean(),
});

function expectEqual(what: string, found: unknown, expected: unknown): void {
	const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
	if (a !== b) {
		throw new Error(`${what}: found ${a}, expected ${b}`);
	}
}

const shown = (version: { ts: number; value: Uint8Array } | undefined): unknown =>
	version && [version.ts, Buffer.from(version.value).toString()];

function makeIntent(n: number): Intent {
	return {
		transaction: `b${n}/1.ab/z` as TransactionId,
		p: at(2 ** 40 + n),
		anchor: k(`anchor\0\xff${n}`),
		value: n % 3 === 0 ? undefined : Buffer.from(`value ${n}`),
		chunk: n,
		mark: n % 2 === 0,
	};
}

const intentShown = (intent: Intent | undefined): string =>
	JSON.stringify(
		intent && { ...intent, value: intent.value && Buffer.from(intent.value).toString() },
	);

function write(batch: VersionBatch, model: VersionModel, one: Step): void {
	switch (one.kind) {
		case "hot":
			for (let n = 0; n < 30; n++) {
				const value = n % 7 === 3 ? undefined : `hot ${n}`;
				batch.put(
					k(one.key),
					at(model.put(one.key, value)),
					value === undefined ? value : Buffer.from(value),
				);
			}
			break;
		case "put":
			batch.put(k(one.key), at(model.put(one.key, `${one.a}`)), Buffer.from(`${one.a}`));
			break;
		case "delete":
			batch.put(k(one.key), at(model.put(one.key, undefined)), undefined);
			break;
		case "intent": {
			const intent = makeIntent(one.a);
			model.intents.set(one.key, intentShown(intent));
			batch.putIntent(k(one.key), intent);
			break;
		}
		case "no-intent":
			if (model.intents.delete(one.key)) {
				batch.removeIntent(k(one.key));
			}
			break;
		case "collect":
			model.threshold = Math.max(model.threshold, Math.floor((model.now * one.a) / 1_500));
			collect(batch, model, one);
			break;
		case "expect":
			batch.expect({ start: k(one.key), end: k(one.end) });
			break;
		case "check":
			break;
	}
}

/** In slices of at most a few entries; `resume` goes on where the slice ended. */
function collect(batch: VersionBatch, model: VersionModel, one: Step): void {
	const max = 1 + (one.b % 5);
	for (let start = all.start; ; ) {
		const slice = batch.collect({ start, end: all.end }, at(model.threshold), max);
		if (slice.removed > max) {
			throw new Error(`collected ${slice.removed} entries of at most ${max}`);
		}
		if (slice.resume === undefined) {
			break;
		}
		start = slice.resume;
	}
	for (const [key, list] of model.changes) {
		// A deletion that was collected is forgotten, unless a version came after.
		const last = list.at(-1);
		if (last !== undefined && last[1] === undefined && last[0] <= model.threshold) {
			model.changes.delete(key);
		}
	}
}

function scanAll(
	reader: EngineReader,
	model: VersionModel,
	one: Step,
	s: number,
): [string, number, string][] {
	const rows: [string, number, string][] = [];
	const limits = {
		rowsMax: 1 + (one.b % 4),
		bytesMax: one.a % 2 === 0 ? 1 << 20 : 6,
		reverse: one.reverse,
	};
	let span: Span = { start: k(one.key), end: k(one.end) };
	for (;;) {
		const slice = scanAt(reader, span, at(s), at(model.now), limits);
		if (slice.rows.length > limits.rowsMax) {
			throw new Error("more rows than asked for");
		}
		for (const row of slice.rows) {
			rows.push([row.key, row.ts, Buffer.from(row.value).toString()]);
		}
		if (slice.resume === undefined) {
			return rows;
		}
		span = one.reverse
			? { start: span.start, end: slice.resume }
			: { start: slice.resume, end: span.end };
	}
}

function check(reader: EngineReader, model: VersionModel, one: Step): void {
	const { key, end } = one;
	const s = model.threshold + Math.floor(((model.now + 2 - model.threshold) * one.a) / 999);
	const last = model.newestOf(key);
	expectEqual("newest", shown(newest(reader, k(key))), last?.[1] === undefined ? undefined : last);
	expectEqual("newest change", newestChange(reader, k(key)), last?.[0] ?? 0);
	expectEqual(`read at ${s}`, shown(readAt(reader, k(key), at(s))), model.readAt(key, s));
	const many = Array.from({ length: 2 * manyKeys }, (_, n) => (n % 2 === 0 ? key : end));
	expectEqual(
		`reads of many at ${s}`,
		readAllAt(reader, many.map(k), at(s)).map(shown),
		many.map((one) => model.readAt(one, s)),
	);
	expectEqual(`scan at ${s}`, scanAll(reader, model, one, s), model.rows(key, end, s, one.reverse));
	expectEqual(
		"scan of the newest",
		scanAll(reader, model, one, timestampMax),
		model.rows(key, end, timestampMax, one.reverse),
	);
	const upTo = s + Math.floor(((model.now - s) * one.b) / 900);
	for (const [from, to] of [
		[key, end],
		[key, keySuccessor(k(key))],
	] as const) {
		const span = { start: k(from), end: k(to) };
		expectEqual(
			`changed in (${s}, ${upTo}]`,
			changedBetween(reader, span, at(s), at(upTo), at(model.now)),
			model.changedBetween(from, to, s, upTo),
		);
		expectEqual(
			`changed in (${s}, ${upTo}], in parts`,
			changedInParts(reader, span, at(s), at(upTo), at(model.now)),
			model.changedBetween(from, to, s, upTo),
		);
	}
	expectEqual("intent", intentShown(readIntent(reader, k(key))), model.intents.get(key));
	const intents = [...model.intents]
		.filter(([x]) => key <= x && x < end)
		.sort(([x], [y]) => (x < y ? -1 : 1));
	expectEqual(
		"intents",
		readIntents(reader, { start: k(key), end: k(end) }, 3).map((x) => [
			x.key,
			intentShown(x.intent),
		]),
		intents.slice(0, 3),
	);
}

/** Each part ends where the look at it did. */
function changedInParts(
	reader: EngineReader,
	{ start, end }: Span,
	after: Timestamp,
	upTo: Timestamp,
	lastCommit: Timestamp,
): boolean {
	for (let from = start; from < end; ) {
		const look = changeBetween(reader, { start: from, end }, after, upTo, lastCommit, 2);
		if (look.change !== undefined) return true;
		from = look.end;
	}
	return false;
}

function checkAgainstModel(engine: Engine, batches: readonly (readonly Step[])[]): void {
	const model = new VersionModel();
	const total = { rows: 0, dataBytes: 0, historyEntries: 0, historyBytes: 0 };
	const intents = new IntentFilter();
	for (const steps of batches) {
		engine.write((into) => {
			const batch = new VersionBatch(engine, into, intents);
			for (const one of steps) {
				write(batch, model, one);
				if (one.kind === "check") {
					check(batch.reader, model, one);
					expectEqual(
						"intent of the batch",
						intentShown(batch.intent(k(one.key))),
						model.intents.get(one.key),
					);
				}
			}
			total.rows += batch.sizeDelta.rows;
			total.dataBytes += batch.sizeDelta.dataBytes;
			total.historyEntries += batch.sizeDelta.historyEntries;
			total.historyBytes += batch.sizeDelta.historyBytes;
		});
		for (const one of steps) {
			check(engine, model, one);
		}
	}
	expectEqual("intents counted", intents.count, model.intents.size);
	checkTotals(engine, total);
}

function checkTotals(engine: Engine, total: Record<string, number>): void {
	const limits = { rowsMax: 1e6, bytesMax: 1e9, reverse: false, keyOffset: 0 };
	const measure = (span: Span): [number, number] => {
		const { keys, values } = engine.scan(span, limits);
		const bytes = keys.reduce(
			(sum, key, n) => sum + key.length + (values[n] as Uint8Array).length,
			0,
		);
		return [keys.length, bytes];
	};
	const [data] = engineSpans(all);
	expectEqual(
		"totals",
		[total["rows"], total["dataBytes"], total["historyEntries"], total["historyBytes"]],
		[...measure(data as Span), ...measure(historySpan(all))],
	);
	engine.write((batch) => {
		for (const span of engineSpans(all)) {
			batch.deleteSpan(span);
		}
	});
	expectEqual("what is left", engine.scan({ start: k(""), end: k("\xff") }, limits).keys, []);
}

/** `runs`: random histories to try. */
export function versionsSuite(test: TestFn, open: () => Promise<Engine>, runs: number): void {
	const run = (name: string, body: (engine: Engine, t: ExecutionContext) => void): void => {
		test(name, async (t) => {
			const engine = await open();
			try {
				body(engine, t);
			} finally {
				await engine.close();
			}
		});
	};

	run("versions agree with a model", (engine, t) => {
		fc.assert(
			fc.property(
				fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 12, size: "max" }),
				(batches) => {
					// What a failed run left, while it is shrunk.
					engine.write((batch) => batch.deleteSpan(all));
					checkAgainstModel(engine, batches);
				},
			),
			{ numRuns: runs },
		);
		t.pass();
	});

	run("a scan in the past of a hot row does not step over all of its history", (engine, t) => {
		for (let n = 1; n <= 3_000; n += 100) {
			engine.write((into) => {
				const batch = new VersionBatch(engine, into, new IntentFilter());
				for (let m = n; m < n + 100; m++) {
					for (const key of ["a", "hot", "z"]) {
						if (key === "hot" || m === 1_500) {
							batch.put(k(key), at(m), Buffer.from(`${m}`));
						}
					}
				}
			});
		}
		for (const reverse of [false, true]) {
			for (const s of [1, 5, 1_600, 2_995]) {
				let steps = 0;
				const counted: EngineReader = {
					get: (key) => engine.get(key),
					scan: (span, limits) => engine.scan(span, limits),
					iterate: (span, options) => {
						const it = engine.iterate(span, options);
						const next = it.next.bind(it);
						it.next = () => {
							steps++;
							next();
						};
						return it;
					},
				};
				const limits = { rowsMax: 10, bytesMax: 1_000, reverse };
				const { rows } = scanAt(counted, all, at(s), at(3_000), limits);
				const expected = s < 1_500 ? ["hot"] : ["a", "hot", "z"];
				t.deepEqual(
					rows.map((row) => row.key),
					(reverse ? expected.toReversed() : expected).map(k),
				);
				t.is(rows.find((row) => row.key === k("hot"))?.ts, at(s));
				t.true(steps < 60, `${steps} steps`);
			}
		}
	});
}
