/** Which replicas a node makes when somebody calls for them, and which it never makes again. */
import {
	bootId,
	type NodeId,
	nodeId,
	type RangeId,
	type ReplicaId,
	rangeId,
	replicaId,
} from "@quorate/keys/ids";
import { type Key, key, keyMax, keyMin, type Span } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { RaftStatus } from "@quorate/raft/group";
import type { Configuration, SnapshotMetadata } from "@quorate/raft/types";
import { encodeBody } from "@quorate/rpc/body";
import type { Engine } from "@quorate/storage/engine";
import { allMetaSpan, metaKey } from "@quorate/storage/engine-keys";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import test from "ava";
import { type Command, encodeCommand, type MergedRange } from "./commands.ts";
import { FakeRpc, FakeWorld } from "./host/testing/fakes.ts";
import type {
	CommittedEntry,
	GroupMachine,
	GroupOptions,
	RaftGroupHandle,
	RaftHost,
} from "./host-types.ts";
import {
	birthIndex,
	birthTerm,
	configurationOf,
	decodeRangeState,
	encodeRangeState,
	newRangeState,
} from "./range-state.ts";
import { RangeStore } from "./store.ts";

const [self, peer] = [nodeId(1), nodeId(2)];
const range = rangeId(7);
const peersOwn = replicaId(90);

function descriptorWith(
	own: number | undefined,
	conf: number,
	role: "voter" | "learner" = "voter",
): RangeDescriptor {
	const replicas = [{ nodeId: peer, replicaId: peersOwn, role: "voter" as const }];
	const added = own === undefined ? [] : [{ nodeId: self, replicaId: replicaId(own), role }];
	return {
		rangeId: range,
		start: keyMin,
		end: keyMax,
		epoch: { version: 1, conf },
		replicas: [...added, ...replicas],
	};
}

const neverRuns = (): never => {
	throw new Error("not here");
};

/** Groups that lead nothing and know their leader. */
class FakeHost implements RaftHost {
	findLeaders(): void {}
	readonly made: ReplicaId[] = [];
	readonly machines = new Map<ReplicaId, GroupMachine>();
	call: Parameters<RaftHost["onUnknownGroup"]>[0] = neverRuns;

	addGroup({ rangeId: id, replicaId: own, machine }: GroupOptions): RaftGroupHandle {
		this.made.push(own);
		this.machines.set(own, machine);
		return {
			rangeId: id,
			replicaId: own,
			propose: () => undefined,
			proposeConfiguration: () => undefined,
			readIndex: neverRuns,
			admit: () => undefined,
			transferLeadership: neverRuns,
			campaign: neverRuns,
			announceCommit: neverRuns,
			wake: () => undefined,
			waitsToStand: false,
			isAtRest: true,
			leader: peersOwn,
			rest: () => undefined,
			status: () => ({ leader: peersOwn }) as RaftStatus,
			remove: (recorded) => recorded,
		};
	}

	group = () => undefined;
	unclaimed = () => [];
	discard = (_range: RangeId) => Promise.resolve();
	statistics = neverRuns;
	close = () => Promise.resolve();

	onUnknownGroup(handler: Parameters<RaftHost["onUnknownGroup"]>[0]): void {
		this.call = handler;
	}
}

class Node {
	readonly world = new FakeWorld();
	readonly engine: Engine = new MemoryEngine();
	/** What the peer answers when it is asked about the range. */
	believed = descriptorWith(undefined, 1);
	host = new FakeHost();
	/** Set where the node's data were discarded. */
	replicasFrom: number | undefined;

	constructor() {
		const other = new FakeRpc(this.world, peer, 1);
		other.handle("range-descriptor", () => ({ descriptor: this.believed }));
	}

	/** Another boot, with the same engine. */
	async start(): Promise<void> {
		this.host = new FakeHost();
		const store = new RangeStore({
			runtime: this.world.runtime(
				() => 0.5,
				() => true,
			),
			engine: this.engine,
			nodeId: self,
			bootId: bootId("1.1"),
			timestamps: { issue: neverRuns, seen: () => timestampZero, observe: () => undefined },
			host: this.host,
			rpc: new FakeRpc(this.world, self, 1),
			bootOf: () => undefined,
			isLeaving: () => false,
			isDiskFull: () => false,
			replicasFrom: this.replicasFrom,
			inquire: neverRuns,
			resolveAll: neverRuns,
			validateElsewhere: neverRuns,
			allocate: neverRuns,
			kept: (descriptor) => descriptor,
			report: () => undefined,
			detector: () => undefined,
			nodes: () => [self, peer] as readonly NodeId[],
			bootEnded: () => false,
			isActive: () => true,
			historyLifeMs: neverRuns,
			divisionRules: neverRuns,
			decided: neverRuns,
			members: neverRuns,
			thaw: neverRuns,
			wakeBefore: neverRuns,
		});
		await store.start();
	}

	/** A message of a leader that has this descriptor, to the replica that it believes to be here. */
	async calledBy(believed: RangeDescriptor): Promise<readonly ReplicaId[]> {
		this.believed = believed;
		const to = believed.replicas.find((r) => r.nodeId === self)!.replicaId;
		this.host.call(believed.rangeId, to, peersOwn, peer);
		await this.world.settle();
		return this.host.made;
	}

	holds(descriptor: RangeDescriptor): void {
		const state = encodeRangeState(newRangeState(descriptor));
		this.engine.write((batch) => batch.put(metaKey(range, "state"), state));
	}

	/** The replica applies that it was removed; nothing else is done about it yet. */
	remove(id: number): void {
		const configuration: Configuration = {
			voters: [peersOwn],
			outgoing: [],
			learners: [],
			learnersNext: [],
		};
		const changes = [{ kind: "remove" as const, replica: replicaId(id) }];
		const change = { changes, context: new Uint8Array() };
		const at = { index: birthIndex + 1, term: birthTerm, command: undefined };
		this.host.machines.get(replicaId(id))!.apply([{ ...at, change, configuration }]);
	}
}

/** What the engine holds, in the engine of another node. */
function copyOf(node: Node, span: Span = { start: keyMin, end: keyMax }): Node {
	const copy = new Node();
	const it = node.engine.iterate(span);
	for (; it.key !== undefined; it.next()) {
		const { key, value } = it;
		copy.engine.write((batch) => batch.put(key, value));
	}
	it.close();
	return copy;
}

test("a replica that left is not made again under its id, under a later one it is", async (t) => {
	const node = new Node();
	node.holds(descriptorWith(5, 1));
	await node.start();
	t.deepEqual(node.host.made, [5]);
	node.remove(5);
	await node.world.settle();
	t.deepEqual(await node.calledBy(descriptorWith(5, 1)), [5]);
	// Whatever epoch the caller names.
	t.deepEqual(await node.calledBy(descriptorWith(5, 9)), [5]);
	t.deepEqual(await node.calledBy(descriptorWith(12, 4, "learner")), [5, 12]);
	await node.start();
	t.deepEqual(await node.calledBy(descriptorWith(5, 1)), []);
});

test("nor after a crash right after the removal was applied, nor by a split applied late", async (t) => {
	const node = new Node();
	node.holds(descriptorWith(5, 1));
	await node.start();
	node.remove(5);
	const crashed = copyOf(node, allMetaSpan);
	await crashed.start();
	t.deepEqual(await crashed.calledBy(descriptorWith(5, 1)), []);
	// The left side, here again from a snapshot older than the split, brings the range as it was at its birth.
	crashed.holds(descriptorWith(5, 1));
	await crashed.start();
	t.deepEqual(crashed.host.made, []);
	t.is(crashed.engine.get(metaKey(range, "state")), undefined);
});

test("who is called under a later id has done with the ones before, which may have voted", async (t) => {
	const node = new Node();
	await node.start();
	t.deepEqual(await node.calledBy(descriptorWith(12, 4, "learner")), [12]);
	await node.start();
	t.deepEqual(await node.calledBy(descriptorWith(11, 3, "learner")), []);
	// Nothing of it is here but in the log, which knows whether it is the same.
	t.deepEqual(await node.calledBy(descriptorWith(12, 4, "learner")), [12]);
});

test("where all data were discarded no replica is made under an id of before", async (t) => {
	const node = new Node();
	node.replicasFrom = 12;
	await node.start();
	t.deepEqual(await node.calledBy(descriptorWith(5, 1)), []);
	t.deepEqual(await node.calledBy(descriptorWith(11, 9, "learner")), []);
	// Of the old one and the new one, as the range has both for a while, the new one is meant.
	const both = descriptorWith(5, 9);
	const replicas = [...both.replicas, ...descriptorWith(13, 9, "learner").replicas];
	const own = replicas.filter((r) => r.nodeId === self);
	node.believed = { ...both, replicas };
	node.host.call(range, own[1]!.replicaId, peersOwn, peer);
	await node.world.settle();
	t.deepEqual(node.host.made, [13]);
});

/** What a sender begins with, and then nothing until `more`. */
async function* snapshotOf(descriptor: RangeDescriptor, more: Promise<void> = Promise.resolve()) {
	yield encodeBody([1, encodeRangeState(newRangeState(descriptor))]);
	await more;
}

function metadataOf(descriptor: RangeDescriptor): SnapshotMetadata {
	const configuration = configurationOf(descriptor);
	return { index: birthIndex, term: birthTerm, configuration };
}

test("a snapshot is refused in which the replica is no member", async (t) => {
	const node = new Node();
	await node.start();
	await node.calledBy(descriptorWith(12, 4, "learner"));
	const machine = node.host.machines.get(replicaId(12))!;
	const gone = descriptorWith(undefined, 5);
	const installed = machine.installSnapshot(metadataOf(gone), snapshotOf(gone));
	await t.throwsAsync(installed, { message: /no member/ });
});

const someRows = 40;
const rowBytes = 16 << 10;
const rowKey = (n: number): Key => key(`d\u0001${String(n).padStart(3, "0")}`);

async function* rowsOf(descriptor: RangeDescriptor) {
	yield* snapshotOf(descriptor);
	for (let n = 0; n < someRows; n++) yield encodeBody([[rowKey(n), new Uint8Array(rowBytes)]]);
}

function rowsIn(engine: Engine): number {
	let rows = 0;
	for (let n = 0; n < someRows; n++) if (engine.get(rowKey(n)) !== undefined) rows++;
	return rows;
}

test("a snapshot is put in place in parts, and what is left of it after a crash at the next start", async (t) => {
	const node = new Node();
	await node.start();
	const whole = descriptorWith(12, 4, "learner");
	await node.calledBy(whole);
	const machine = node.host.machines.get(replicaId(12))!;
	let isDone = false;
	const installed = machine.installSnapshot(metadataOf(whole), rowsOf(whole)).then(() => {
		isDone = true;
	});
	const seen = new Set<number>();
	while (!isDone) {
		await node.world.turn();
		const rows = rowsIn(node.engine);
		if (rows === 0 || rows === someRows || seen.has(rows)) continue;
		seen.add(rows);
		const crashed = copyOf(node);
		const started = crashed.start();
		await crashed.world.settle();
		await started;
		t.is(rowsIn(crashed.engine), someRows);
		t.deepEqual(crashed.host.made, [12]);
	}
	await installed;
	t.true(seen.size >= 4, `${seen.size} parts`);
	t.is(rowsIn(node.engine), someRows);
});

test("of two snapshots that come in at once and overlap one is refused", async (t) => {
	const node = new Node();
	await node.start();
	const [one, other] = [descriptorWith(12, 4), { ...descriptorWith(13, 4), rangeId: rangeId(8) }];
	await node.calledBy(one);
	await node.calledBy(other);
	const machines = [12, 13].map((id) => node.host.machines.get(replicaId(id))!);
	let go: () => void = () => undefined;
	const more = new Promise<void>((resolve) => {
		go = resolve;
	});
	const first = machines[0]!.installSnapshot(metadataOf(one), snapshotOf(one, more));
	await node.world.settle();
	const second = machines[1]!.installSnapshot(metadataOf(other), snapshotOf(other));
	await t.throwsAsync(second, { message: /overlaps/ });
	go();
	await first;
	t.not(node.engine.get(metaKey(range, "state")), undefined);
});

test("the right side of a split has its keys before it has a replica", async (t) => {
	const node = new Node();
	node.holds(descriptorWith(5, 1));
	await node.start();
	let durable: () => void = () => undefined;
	const { sync } = node.engine;
	node.engine.sync = () => {
		node.engine.sync = sync;
		return new Promise((resolve) => {
			durable = resolve;
		});
	};
	const split = { kind: "split" as const, at: key("m"), rangeId: rangeId(8) };
	const replicaIds = [replicaId(6), replicaId(91)];
	const command = encodeCommand({
		sequence: 0,
		number: 1,
		version: 1,
		command: { ...split, replicaIds },
	});
	const entry = { index: birthIndex + 1, term: birthTerm, command };
	node.host.machines.get(replicaId(5))!.apply([entry as CommittedEntry]);
	await node.world.settle();
	// Elsewhere it has been split again, and the new range calls.
	const own = { nodeId: self, replicaId: replicaId(7), role: "voter" as const };
	const later = { ...descriptorWith(undefined, 1), rangeId: rangeId(9), start: key("t") };
	const called = () => node.calledBy({ ...later, replicas: [own, ...later.replicas] });
	t.deepEqual(await called(), [5]);
	durable();
	await node.world.settle();
	t.deepEqual(node.host.made, [5, 6]);
	t.deepEqual(await called(), [5, 6]);
});

const border = key("m");
const rightRange = rangeId(8);

/** Two neighbours on one node, both of version 2. */
async function neighbours(): Promise<Node> {
	const node = new Node();
	const epoch = { version: 2, conf: 1 };
	const left = { ...descriptorWith(5, 1), end: border, epoch };
	const right = { ...descriptorWith(6, 1), rangeId: rightRange, start: border, epoch };
	for (const d of [left, right]) {
		const state = encodeRangeState(newRangeState(d));
		node.engine.write((batch) => batch.put(metaKey(d.rangeId, "state"), state));
	}
	await node.start();
	return node;
}

const whole = (version: number): RangeDescriptor => ({
	...descriptorWith(5, 1),
	epoch: { version, conf: 1 },
});

/** The one after another that begin a merge, freeze the right side, and take it over. */
function applyTo(node: Node, own: number, number: number, command: Command): void {
	const bytes = encodeCommand({ sequence: 0, number, version: 2, command });
	const entry = { index: birthIndex + number, term: birthTerm, command: bytes };
	node.host.machines.get(replicaId(own))!.apply([entry as CommittedEntry]);
}

const t5 = 5 as Timestamp;
const begin: Command = { kind: "merge-begin", right: rightRange, at: border, version: 2, conf: 1 };
const freeze: Command = { kind: "freeze", into: range, intoVersion: 2, t: t5, conf: 1 };
const none = { lastCommit: timestampZero, gcThreshold: timestampZero, horizon: timestampZero };
const right: MergedRange = {
	...{ rangeId: rightRange, version: 2, end: keyMax, t: t5, ...none },
	...{ closed: timestampZero, closedVersion: 0 },
};
const merge: Command = { kind: "merge", right, conf: 1 };

const callsRight = (node: Node): Promise<readonly ReplicaId[]> =>
	node.calledBy({ ...descriptorWith(6, 1), rangeId: rightRange, start: border });

test("with a merge the replica of the right side goes, and does not come back", async (t) => {
	const node = await neighbours();
	applyTo(node, 5, 1, begin);
	applyTo(node, 6, 1, freeze);
	applyTo(node, 5, 2, merge);
	const crashed = new Node();
	const it = node.engine.iterate(allMetaSpan);
	for (; it.key !== undefined; it.next()) {
		const { key: k, value } = it;
		crashed.engine.write((batch) => batch.put(k, value));
	}
	it.close();
	await node.world.settle();
	await crashed.start();
	t.deepEqual(crashed.host.made, [5]);
	for (const one of [node, crashed]) {
		const made = [...one.host.made];
		t.is(one.engine.get(metaKey(rightRange, "state")), undefined);
		const state = decodeRangeState(one.engine.get(metaKey(range, "state"))!);
		t.deepEqual(state.descriptor, whole(3));
		t.is(state.lease.expiry, t5);
		t.deepEqual(await callsRight(one), made);
	}
});

test("a replica of the left side does not take over what is not frozen beside it", async (t) => {
	const node = await neighbours();
	applyTo(node, 5, 1, begin);
	t.throws(() => applyTo(node, 5, 2, merge), { message: /M2/ });
});

test("what was refused is not merged, whatever comes late", async (t) => {
	const node = await neighbours();
	applyTo(node, 5, 1, begin);
	applyTo(node, 6, 1, freeze);
	applyTo(node, 5, 2, { kind: "merge-refuse" });
	applyTo(node, 6, 2, { kind: "thaw" });
	// In the logs behind it: another freeze under the version of before, and the merge.
	applyTo(node, 6, 3, freeze);
	applyTo(node, 5, 3, merge);
	applyTo(node, 5, 4, { kind: "merge-end" });
	applyTo(node, 5, 5, merge);
	const [left, other] = [range, rightRange].map((id) =>
		decodeRangeState(node.engine.get(metaKey(id, "state"))!),
	);
	t.deepEqual([left!.descriptor.end, left!.merging], [border, undefined]);
	t.deepEqual([other!.frozen, other!.descriptor.epoch.version], [undefined, 3]);
});

test("what a snapshot of the merged range covers goes with it, and an older one is refused", async (t) => {
	const node = await neighbours();
	const machine = node.host.machines.get(replicaId(5))!;
	const before = machine.installSnapshot(metadataOf(whole(2)), snapshotOf(whole(2)));
	await t.throwsAsync(before, { message: /overlaps/ });
	await machine.installSnapshot(metadataOf(whole(3)), snapshotOf(whole(3)));
	await node.world.settle();
	t.is(node.engine.get(metaKey(rightRange, "state")), undefined);
	t.deepEqual(await callsRight(node), [5, 6]);
	// The same where the process had ended right before the replica went.
	const crashed = await neighbours();
	const state = encodeRangeState(newRangeState(whole(3)));
	crashed.engine.write((batch) => batch.put(metaKey(range, "state"), state));
	await crashed.start();
	t.deepEqual(crashed.host.made, [5]);
	t.is(crashed.engine.get(metaKey(rightRange, "state")), undefined);
	t.deepEqual(await callsRight(crashed), [5]);
});
