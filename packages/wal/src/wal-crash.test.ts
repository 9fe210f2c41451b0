/** Random writes, a crash at a random instant that keeps any part of what was not synced, recovery, and on. */
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Entry, HardState, SnapshotMetadata } from "@quorate/raft/types";
import type { Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import fc from "fast-check";
import { CrashDisk, diskRuntime, type Keep } from "./crash-disk.ts";
import type { RecoveredGroup, WalWrite } from "./types.ts";
import { openWal } from "./wal.ts";

interface ModelGroup {
	replicaId: ReplicaId;
	hardState: HardState;
	snapshot: SnapshotMetadata | undefined;
	entries: Entry[];
}
type Model = Map<RangeId, ModelGroup>;

interface Operation {
	readonly kind:
		| "entries"
		| "hard-state"
		| "snapshot"
		| "reset"
		| "remove"
		| "compact"
		| "wait"
		| "ticks";
	readonly group: number;
	readonly a: number;
	readonly b: number;
}

interface Epoch {
	readonly operations: readonly Operation[];
	readonly ticks: number;
	readonly keep: "nothing" | "everything" | "prefix" | "sectors";
	readonly keepNames: boolean;
	readonly seed: number;
}

const configuration = { voters: [1 as ReplicaId], outgoing: [], learners: [], learnersNext: [] };
const lastIndex = (group: ModelGroup): number =>
	group.entries.at(-1)?.index ?? group.snapshot?.index ?? 0;

/** Raft compacts what is committed, and puts nothing else in its place: up to here no write that is under way does. */
function lastSettled(models: readonly Model[], safe: ModelGroup, rangeId: RangeId): number {
	const rewritten = safe.entries.find((entry) =>
		models.some((model) => {
			const group = model.get(rangeId);
			return (group?.snapshot?.index ?? 0) < entry.index && !group?.entries.includes(entry);
		}),
	);
	return rewritten === undefined ? lastIndex(safe) : rewritten.index - 1;
}

/** The write that `operation` asks for, given what the group has. */
function makeWrite(model: Model, operation: Operation, replicas: Map<RangeId, number>): WalWrite {
	const rangeId = operation.group as RangeId;
	const group = model.get(rangeId);
	const replicaId = (group?.replicaId ?? replicas.get(rangeId) ?? 1) as ReplicaId;
	const base = { rangeId, replicaId };
	const { a, b } = operation;
	const last = group === undefined ? 0 : lastIndex(group);
	const term = (group?.hardState.term ?? 1) + 1;
	switch (operation.kind) {
		case "remove":
			replicas.set(rangeId, replicaId + 1);
			return { ...base, removed: true };
		case "hard-state":
			return { ...base, hardState: { term, vote: (a % 5) as ReplicaId, commit: last } };
		case "snapshot":
			return {
				...base,
				snapshot: {
					index: last - (a % 3 === 0 ? 0 : Math.min(a % 4, last)),
					term,
					configuration,
					reset: false,
				},
			};
		case "reset":
			return { ...base, snapshot: { index: last + (a % 20), term, configuration, reset: true } };
		default: {
			// Sometimes rewrites a suffix, as a follower does.
			const floor = (group?.snapshot?.index ?? 0) + 1;
			const first = Math.max(
				floor,
				group?.entries[0]?.index ?? floor,
				last + 1 - (a % 3 === 0 ? a % 6 : 0),
			);
			const entries: Entry[] = [];
			for (let n = 0; n <= b % 5; n++) {
				const data = Buffer.alloc((a * 7 + n) % 90, a);
				entries.push({ index: first + n, term, payload: { kind: "command", data } });
			}
			return b % 2 === 0
				? { ...base, entries }
				: { ...base, entries, hardState: { term, vote: 0 as ReplicaId, commit: last } };
		}
	}
}

function applyToModel(model: Model, write: WalWrite): Model {
	const after = new Map(model);
	if (write.removed) {
		after.delete(write.rangeId);
		return after;
	}
	const hardStateZero = { term: 0, vote: 0 as ReplicaId, commit: 0 };
	const old = model.get(write.rangeId) ?? {
		replicaId: write.replicaId,
		hardState: hardStateZero,
		snapshot: undefined,
		entries: [],
	};
	const group = { ...old, hardState: write.hardState ?? old.hardState };
	if (write.snapshot !== undefined) {
		const { reset, ...metadata } = write.snapshot;
		group.snapshot = metadata;
		group.entries = reset ? [] : group.entries.filter((e) => e.index > metadata.index);
	}
	const first = write.entries?.[0];
	if (write.entries !== undefined && first !== undefined) {
		group.entries = [...group.entries.filter((e) => e.index < first.index), ...write.entries];
	}
	after.set(write.rangeId, group);
	return after;
}

/** By replica: what a crash takes back may include the removal after which a new one came. */
type Compacted = Map<string, number>;
const replicaKey = (of: { readonly rangeId: RangeId; readonly replicaId: ReplicaId }): string =>
	`${of.rangeId}/${of.replicaId}`;

/** What of a group must be equal: entries that were compacted may be there or not. */
function essence(groups: readonly RecoveredGroup[], compacted: Compacted): string {
	return JSON.stringify(
		groups.map((group) => [
			group.rangeId,
			group.replicaId,
			group.hardState,
			group.snapshot,
			group.entries
				.filter((e) => e.index > (compacted.get(replicaKey(group)) ?? 0))
				.map((e) => [
					e.index,
					e.term,
					e.payload.kind === "command" ? Buffer.from(e.payload.data).toString("hex") : "",
				]),
		]),
	);
}

const modelEssence = (model: Model, compacted: Compacted): string =>
	essence(
		[...model]
			.map(([rangeId, group]) => ({ rangeId, ...group }))
			.sort((a, b) => a.rangeId - b.rangeId),
		compacted,
	);

function makeKeep(epoch: Epoch): Keep {
	const hash = (n: number): number => Math.imul(n ^ (n >>> 15) ^ epoch.seed, 0x9e3779b1) >>> 8;
	switch (epoch.keep) {
		case "nothing":
			return () => false;
		case "everything":
			return () => true;
		case "prefix":
			return (write, byte) => byte < hash(write) % 300;
		case "sectors":
			return (write, byte) => hash(write * 1000 + (byte >> 4)) % 3 > 0;
	}
}

/** Timers fire after a few turns: what the log notes on the way happens between everything else. */
function busyRuntime(disk: CrashDisk, onFatal?: (reason: string) => void): Runtime {
	const runtime = diskRuntime(disk, onFatal);
	const setTimer = (_delayMs: number, task: () => void) => {
		let isCancelled = false;
		const later = async (): Promise<void> => {
			for (let n = 0; n < 7; n++) {
				await Promise.resolve();
			}
			if (!isCancelled) {
				task();
			}
		};
		void later();
		return {
			cancel: () => {
				isCancelled = true;
			},
		};
	};
	return { ...runtime, scheduler: { ...runtime.scheduler, setTimer } };
}

async function runEpoch(
	disk: CrashDisk,
	epoch: Epoch,
	segmentSizeBytes: number,
	states: { model: Model; compacted: Compacted; replicas: Map<RangeId, number> },
): Promise<CrashDisk> {
	const { compacted, replicas } = states;
	let fatal: (reason: string) => void = () => undefined;
	const failed = new Promise<never>((_, reject) => {
		fatal = (reason) => reject(new Error(reason));
	});
	failed.catch(() => undefined);
	const { wal, recovered } = await openWal(busyRuntime(disk, fatal), "wal", { segmentSizeBytes });
	if (essence(recovered, compacted) !== modelEssence(states.model, compacted)) {
		throw new Error(
			`recovered ${essence(recovered, compacted)}, not ${modelEssence(states.model, compacted)}`,
		);
	}
	/** The model after each write that was issued; `[acknowledged]` is the least that must survive. */
	const history: Model[] = [states.model];
	let acknowledged = 0;
	for (const operation of epoch.operations) {
		const model = history.at(-1) as Model;
		if (operation.kind === "wait") {
			const write = { rangeId: 99 as RangeId, replicaId: 1 as ReplicaId, removed: true };
			await Promise.race([wal.append([write]), failed]);
			history.push(model);
			acknowledged = history.length - 1;
		} else if (operation.kind === "ticks") {
			for (let n = operation.a % 12; n > 0; n--) {
				await Promise.resolve();
			}
		} else if (operation.kind === "compact") {
			const rangeId = operation.group as RangeId;
			const safe = history[acknowledged]?.get(rangeId);
			if (safe === undefined || model.get(rangeId)?.replicaId !== safe.replicaId) {
				continue;
			}
			const index = Math.max(
				0,
				lastSettled(history.slice(acknowledged), safe, rangeId) - (operation.a % 8),
			);
			const of = replicaKey({ rangeId, ...safe });
			compacted.set(of, Math.max(index, compacted.get(of) ?? 0));
			wal.compact(rangeId, index);
		} else {
			const write = makeWrite(model, operation, replicas);
			if (write.entries?.some((e) => e.index <= (compacted.get(replicaKey(write)) ?? 0))) {
				continue;
			}
			history.push(applyToModel(model, write));
			const position = history.length - 1;
			void wal.append([write]).then(() => {
				acknowledged = Math.max(acknowledged, position);
			});
		}
	}
	for (let n = epoch.ticks; n > 0; n--) {
		await Promise.resolve();
	}
	const after = disk.crash(makeKeep(epoch), epoch.keepNames);
	const least = acknowledged;
	await Promise.race([wal.close(), failed]);
	// Recovering must not change what the next recovery finds.
	const first = await openWal(busyRuntime(after), "wal", { segmentSizeBytes });
	const found = essence(first.recovered, compacted);
	const survived = history.findIndex(
		(model, position) => position >= least && modelEssence(model, compacted) === found,
	);
	if (survived < 0) {
		throw new Error(
			`recovered ${found}, least ${modelEssence(history[least] as Model, compacted)}`,
		);
	}
	states.model = history[survived] as Model;
	await first.wal.close();
	return after.crash(() => false, false);
}

const operation: fc.Arbitrary<Operation> = fc.record({
	kind: fc.constantFrom<Operation["kind"]>(
		"entries",
		"entries",
		"entries",
		"entries",
		"hard-state",
		"snapshot",
		"reset",
		"remove",
		"compact",
		"compact",
		"wait",
		"ticks",
	),
	group: fc.integer({ min: 1, max: 3 }),
	a: fc.nat(99),
	b: fc.nat(99),
});

const epoch: fc.Arbitrary<Epoch> = fc.record({
	operations: fc.array(operation, { maxLength: 40, size: "max" }),
	ticks: fc.nat(30),
	keep: fc.constantFrom("nothing", "everything", "prefix", "sectors"),
	keepNames: fc.boolean(),
	seed: fc.nat(),
});

/** What is acknowledged is longer than what is being put in its place: not all of it may be compacted. */
const overtaken: Epoch[] = [
	{
		operations: [
			{ kind: "entries", group: 1, a: 0, b: 1 },
			{ kind: "ticks", group: 1, a: 31, b: 0 },
			{ kind: "entries", group: 1, a: 3, b: 0 },
			{ kind: "compact", group: 1, a: 0, b: 0 },
		],
		ticks: 4,
		keep: "nothing",
		keepNames: false,
		seed: 0,
	},
	{
		operations: [{ kind: "entries", group: 1, a: 0, b: 0 }],
		ticks: 0,
		keep: "nothing",
		keepNames: false,
		seed: 0,
	},
];

test("what was acknowledged survives any crash, and nothing else appears", async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(epoch, { minLength: 1, maxLength: 4 }),
			fc.constantFrom(150, 600, 3000),
			async (epochs, segmentSizeBytes) => {
				let disk = new CrashDisk();
				const states = { model: new Map(), compacted: new Map(), replicas: new Map() };
				for (const each of epochs) {
					disk = await runEpoch(disk, each, segmentSizeBytes, states);
				}
			},
		),
		{ numRuns: 1500, examples: [[overtaken, 150]] },
	);
	t.pass();
});
