import { type NodeId, nodeId, rangeId, replicaId } from "@quorate/keys/ids";
import type { Configuration, SnapshotMetadata } from "@quorate/raft/types";
import test from "ava";
import type { RaftGroupHandle } from "../host-types.ts";
import { NodeRaftHost } from "./host.ts";
import { FakeRpc, FakeWal, FakeWorld } from "./testing/fakes.ts";
import { ListMachine } from "./testing/machine.ts";

const range = rangeId(7);
const ids = [1, 2, 3].map(nodeId);
const voters = [10, 20, 30].map(replicaId);
const emptyConfiguration: Configuration = {
	voters: [],
	outgoing: [],
	learners: [],
	learnersNext: [],
};
const birth: SnapshotMetadata = {
	index: 5,
	term: 3,
	configuration: { ...emptyConfiguration, voters },
};
const unborn: SnapshotMetadata = { index: 0, term: 0, configuration: emptyConfiguration };

interface Node {
	readonly id: NodeId;
	wal: FakeWal;
	host: NodeRaftHost;
	machine: ListMachine;
	handle: RaftGroupHandle;
	alive: { value: boolean };
}

class Hosts {
	readonly world = new FakeWorld();
	readonly nodes = new Map<NodeId, Node>();
	#boots = 0;
	#seed = 1;

	start(id: NodeId, machine: ListMachine, wal = new FakeWal(this.world)): Node {
		const alive = { value: true };
		const runtime = this.world.runtime(
			() => {
				this.#seed = (this.#seed * 48271) % 2147483647;
				return this.#seed / 2147483647;
			},
			() => alive.value,
		);
		const rpc = new FakeRpc(this.world, id, ++this.#boots);
		const host = new NodeRaftHost({
			runtime,
			wal,
			recovered: wal.recovered(),
			rpc,
			nodeId: id,
			syncEngine: () => new Promise((resolve) => runtime.scheduler.defer(resolve)),
		});
		const replica = replicaId(id * 10);
		const applied = machine.applied;
		const handle = host.addGroup({
			rangeId: range,
			replicaId: replica,
			machine,
			applied,
			campaignAtStart: true,
			bornAt: birth.index,
			statePath: "engine",
		});
		const node = { id, wal, host, machine, handle, alive };
		this.nodes.set(id, node);
		return node;
	}

	node(id: number): Node {
		return this.nodes.get(nodeId(id))!;
	}

	/** Unsynced writes are lost; of the machine, all above `kept` applied entries. */
	crash(id: number, kept?: number): void {
		const node = this.node(id);
		node.alive.value = false;
		node.wal.crash();
		this.world.rpcs.delete(node.id);
		for (const rpc of this.world.rpcs.values()) rpc.disconnected(node.id);
		if (kept !== undefined) node.machine.list.length = kept;
	}

	restart(id: number): Node {
		const old = this.node(id);
		return this.start(old.id, new ListMachine(old.machine.birth, old.machine.list), old.wal);
	}

	async propose(id: number, text: string): Promise<boolean> {
		const proposed = this.node(id).handle.propose(Buffer.from(text)) !== undefined;
		await this.world.settle();
		return proposed;
	}

	get leader(): number {
		for (const node of this.nodes.values()) {
			if (node.alive.value && node.handle.status().role === "leader") return node.id;
		}
		return 0;
	}

	texts(id: number): string {
		return this.node(id).machine.texts.join(" ");
	}
}

async function three(): Promise<Hosts> {
	const hosts = new Hosts();
	for (const id of ids) hosts.start(id, new ListMachine(birth));
	await hosts.world.settle();
	return hosts;
}

test("a group is born, its first voter leads, and what it proposes is applied everywhere", async (t) => {
	const hosts = await three();
	t.is(hosts.leader, 1);
	t.true(hosts.node(1).machine.leadership.isLeader);
	t.true(await hosts.propose(1, "a"));
	t.is(hosts.texts(1), "a");
	t.false(await hosts.propose(2, "b"));
	await hosts.world.advance(200);
	t.deepEqual([hosts.texts(2), hosts.texts(3)], ["a", "a"]);
	t.is(hosts.node(2).machine.leadership.leader, replicaId(10));
	t.deepEqual(hosts.world.fatals, []);
});

test("what is proposed in one turn is one append of the log and one frame a peer", async (t) => {
	const hosts = await three();
	await hosts.world.advance(100);
	const frames = hosts.world.sent.get("raft") ?? 0;
	const { appends } = hosts.node(1).wal;
	for (let i = 0; i < 50; i++) hosts.node(1).handle.propose(Buffer.from(`p${i}`));
	await hosts.world.settle();
	t.is(hosts.node(1).machine.texts.length, 50);
	t.is(hosts.node(1).wal.appends - appends, 1);
	// Two out, two back.
	t.is((hosts.world.sent.get("raft") ?? 0) - frames, 4);
});

test("a leader applies what its followers have on disk before its own disk has it", async (t) => {
	const hosts = await three();
	hosts.node(1).wal.isHeld = true;
	await hosts.propose(1, "a");
	t.is(hosts.texts(1), "a");
	hosts.crash(1);
	// The machine kept what the log never had.
	const node = hosts.restart(1);
	t.is(node.handle.status().firstIndex, node.handle.status().applied + 1);
	node.wal.isHeld = false;
	await hosts.world.advance(5_000);
	t.not(hosts.leader, 0);
	await hosts.propose(hosts.leader, "b");
	await hosts.world.advance(500);
	for (const id of ids) t.is(hosts.texts(id), "a b");
});

test("an acknowledgement waits for the disk", async (t) => {
	const hosts = await three();
	await hosts.world.advance(100);
	hosts.node(2).wal.isHeld = true;
	hosts.node(3).wal.isHeld = true;
	await hosts.propose(1, "a");
	t.is(hosts.texts(1), "");
	hosts.node(3).wal.sync();
	await hosts.world.settle();
	t.is(hosts.texts(1), "a");
});

test("the leader dies: another one leads, and the dead one catches up when it returns", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	hosts.crash(1);
	await hosts.world.advance(4_000);
	const { leader } = hosts;
	t.true(leader === 2 || leader === 3);
	await hosts.propose(leader, "b");
	hosts.restart(1);
	await hosts.world.advance(1_000);
	t.is(hosts.texts(1), "a b");
	t.is(hosts.leader, leader);
});

test("read index: all calls of a turn share a round; refused when leadership is lost", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	const frames = hosts.world.sent.get("raft") ?? 0;
	const first = hosts.node(1).handle.readIndex();
	const second = hosts.node(1).handle.readIndex();
	await hosts.world.settle();
	t.deepEqual(await Promise.all([first, second]), [7, 7]);
	t.is((hosts.world.sent.get("raft") ?? 0) - frames, 2);
	await t.throwsAsync(hosts.node(2).handle.readIndex(), { name: "NotLeaderError" });
	hosts.world.setLink(nodeId(1), nodeId(2), false);
	hosts.world.setLink(nodeId(1), nodeId(3), false);
	const lost = t.throwsAsync(hosts.node(1).handle.readIndex(), { name: "NotLeaderError" });
	await hosts.world.advance(4_000);
	await lost;
});

test("read index: whom the round asked is silent, so all are asked, and the other one from then on", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	for (const silent of [2, 3]) {
		hosts.world.setLink(nodeId(1), nodeId(silent), false);
		const slow = hosts.node(1).handle.readIndex();
		await hosts.world.advance(15);
		t.is(await slow, 7);
		const frames = hosts.world.sent.get("raft") ?? 0;
		const quick = hosts.node(1).handle.readIndex();
		await hosts.world.settle();
		t.is(await quick, 7);
		t.is((hosts.world.sent.get("raft") ?? 0) - frames, 2);
		hosts.world.setLink(nodeId(1), nodeId(silent), true);
	}
});

test("a group that rests sends nothing and has no timer; a proposal wakes it", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(2_000);
	t.true(hosts.node(1).handle.status().quiesced);
	t.is(hosts.world.timers, 0);
	const frames = hosts.world.sent.get("raft");
	await hosts.world.advance(60_000);
	t.is(hosts.world.sent.get("raft"), frames);
	await hosts.propose(1, "b");
	await hosts.world.advance(200);
	t.is(hosts.texts(3), "a b");
	await hosts.world.advance(2_000);
	t.is(hosts.world.timers, 0);
	// Its leader's node dies: the followers' timers run again.
	hosts.crash(1);
	await hosts.world.advance(4_000);
	t.not(hosts.leader, 0);
});

test("a long log is compacted, and who is too far behind gets a snapshot", async (t) => {
	const hosts = await three();
	hosts.crash(3);
	for (let i = 0; i < 130; i++) {
		for (let n = 0; n < 100; n++) hosts.node(1).handle.propose(Buffer.alloc(400, "x"));
		await hosts.world.advance(20);
	}
	await hosts.world.advance(500);
	const { firstIndex, lastIndex } = hosts.node(1).handle.status();
	t.true(firstIndex > 6 && lastIndex - firstIndex < 11_000);
	t.true(hosts.node(2).handle.status().firstIndex > 6);
	t.is(hosts.node(1).wal.groups.get(range)!.entries.length, lastIndex - firstIndex + 1);
	hosts.restart(3);
	await hosts.world.advance(3_000);
	t.is(hosts.node(3).machine.texts.length, 13_000);
	t.is(hosts.node(1).host.statistics().snapshotsSent, 1);
	t.is(hosts.node(3).host.statistics().snapshotsReceived, 1);
	await hosts.propose(1, "after");
	await hosts.world.advance(200);
	t.is(hosts.node(3).machine.texts.at(-1), "after");
	// What it received is what it restarts from.
	hosts.crash(3);
	const node = hosts.restart(3);
	await hosts.world.advance(3_000);
	t.is(node.machine.texts.length, 13_001);
	t.deepEqual(hosts.world.fatals, []);
});

test("the log keeps what a follower needs that answers and is slow, and lets go of it afterwards", async (t) => {
	const hosts = await three();
	await hosts.world.advance(200);
	const proposeMany = async (count: number): Promise<void> => {
		for (let i = 0; i < count; i += 100) {
			for (let n = 0; n < 100; n++) hosts.node(1).handle.propose(Buffer.from("x"));
			await hosts.world.advance(20);
		}
	};
	const slow = hosts.node(3);
	slow.wal.isHeld = true;
	const { match } = hosts
		.node(1)
		.handle.status()
		.progress.find((p) => p.replica === 30)!;
	await proposeMany(12_000);
	t.is(hosts.node(2).machine.texts.length, 12_000);
	t.is(hosts.node(1).handle.status().firstIndex, match + 1);
	slow.wal.isHeld = false;
	slow.wal.sync();
	await hosts.world.advance(2_000);
	t.is(slow.machine.texts.length, 12_000);
	t.is(hosts.node(1).host.statistics().snapshotsSent, 0);
	await proposeMany(2_100);
	const { firstIndex, lastIndex } = hosts.node(1).handle.status();
	t.true(lastIndex - firstIndex < 2_500);
	t.deepEqual(hosts.world.fatals, []);
});

/** Node 3 is down while the others go on; it comes back to a log that begins after what it needs. */
async function farBehind(): Promise<Hosts> {
	const hosts = await three();
	hosts.crash(3);
	for (let i = 0; i < 130; i++) {
		for (let n = 0; n < 100; n++) hosts.node(1).handle.propose(Buffer.alloc(400, "x"));
		await hosts.world.advance(20);
	}
	await hosts.world.advance(500);
	hosts.restart(3);
	return hosts;
}

test("a snapshot whose connection breaks goes on where it was", async (t) => {
	const hosts = await farBehind();
	const { machine } = hosts.node(3);
	const breaks = [10, 50, 51];
	let chunks = 0;
	machine.onChunk = (count) => {
		chunks++;
		if (count !== breaks[0]) return;
		breaks.shift();
		hosts.world.setLink(nodeId(1), nodeId(3), false);
		hosts.world.setTimer(700, () => hosts.world.setLink(nodeId(1), nodeId(3), true));
	};
	await hosts.world.advance(8_000);
	t.deepEqual(breaks, []);
	t.is(machine.texts.length, 13_000);
	t.is(hosts.node(1).machine.snapshotsOpened, 1);
	t.true(chunks > 100);
	t.is(hosts.node(3).host.statistics().snapshotsReceived, 1);
	await hosts.propose(1, "after");
	await hosts.world.advance(300);
	t.is(machine.texts.at(-1), "after");
	t.deepEqual(hosts.world.fatals, []);
});

test("a sender that does not come back: the receiver keeps what it had, and takes the next snapshot", async (t) => {
	const hosts = await farBehind();
	const { machine } = hosts.node(3);
	const before = machine.texts.length;
	machine.onChunk = (count) => {
		if (count !== 10) return;
		machine.onChunk = () => undefined;
		for (const other of [1, 2]) hosts.world.setLink(nodeId(other), nodeId(3), false);
	};
	await hosts.world.advance(10_000);
	t.is(machine.texts.length, before);
	for (const other of [1, 2]) hosts.world.setLink(nodeId(other), nodeId(3), true);
	await hosts.world.advance(5_000);
	t.is(machine.texts.length, 13_000);
	t.is(hosts.node(1).machine.snapshotsOpened, 2);
	t.deepEqual(hosts.world.fatals, []);
});

test("a leader that dies while its group rests, unnoticed: a request at a follower has it replaced", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(2_000);
	t.is(hosts.world.timers, 0);
	hosts.node(1).alive.value = false;
	hosts.world.rpcs.delete(nodeId(1));
	await hosts.world.advance(60_000);
	t.is(hosts.leader, 0);
	hosts.node(2).handle.wake();
	await hosts.world.advance(6_000);
	t.not(hosts.leader, 0);
});

test("who is woken for nothing is told by its leader, who leads on, and all rest again", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(2_000);
	const { term } = hosts.node(1).handle.status();
	hosts.node(2).handle.wake();
	await hosts.world.advance(6_000);
	t.is(hosts.leader, 1);
	t.is(hosts.node(1).handle.status().term, term);
	t.is(hosts.world.timers, 0);
});

test("a replica that holds nothing is made on demand and gets a snapshot, a refused one again later", async (t) => {
	const hosts = new Hosts();
	hosts.start(
		nodeId(1),
		new ListMachine({
			...birth,
			configuration: { ...birth.configuration, voters: [replicaId(10)] },
		}),
	);
	await hosts.world.settle();
	t.is(hosts.leader, 1);
	await hosts.propose(1, "a");
	const { world } = hosts;
	const rpc = new FakeRpc(world, nodeId(2), 9);
	const wal = new FakeWal(world);
	const runtime = world.runtime(
		() => 0.5,
		() => true,
	);
	const syncEngine = async () => undefined;
	const host = new NodeRaftHost({
		runtime,
		wal,
		recovered: [],
		rpc,
		nodeId: nodeId(2),
		syncEngine,
	});
	const machine = new ListMachine(unborn);
	machine.refusal = "not yet";
	let asked = 0;
	host.onUnknownGroup((unknown, to, from, fromNode) => {
		asked++;
		t.deepEqual([unknown, to, from, fromNode], [range, replicaId(20), replicaId(10), nodeId(1)]);
		host.addGroup({
			rangeId: range,
			replicaId: to,
			machine,
			applied: unborn,
			campaignAtStart: false,
			bornAt: birth.index,
			statePath: "engine",
		});
		return true;
	});
	const change = {
		changes: [{ kind: "add-voter" as const, replica: replicaId(20) }],
		context: new Uint8Array(0),
	};
	t.truthy(hosts.node(1).handle.proposeConfiguration(change));
	await world.advance(1_000);
	t.is(asked, 1);
	t.deepEqual(machine.texts, []);
	machine.refusal = undefined;
	await world.advance(3_000);
	t.deepEqual(machine.texts, ["a"]);
	await hosts.propose(1, "b");
	await world.advance(300);
	t.deepEqual(machine.texts, ["a", "b"]);
	const left = {
		changes: [{ kind: "remove" as const, replica: replicaId(20) }],
		context: new Uint8Array(0),
	};
	t.truthy(hosts.node(1).handle.proposeConfiguration(left));
	await world.advance(300);
	t.deepEqual(machine.applied.configuration.voters, [replicaId(10)]);
	void host.group(range)!.remove(Promise.resolve());
	await world.settle();
	t.is(wal.groups.size, 0);
	t.deepEqual(world.fatals, []);
});

test("a machine that is behind the beginning of its log stops the node", async (t) => {
	const hosts = await three();
	const { wal } = hosts.node(1);
	wal.groups.get(range)!.snapshot = { ...birth, index: 9 };
	hosts.crash(1);
	t.throws(() => hosts.restart(1), {
		message: /goes up to entry 6, the write-ahead log in wal begins after 9/,
	});
});

test("frames that are not Raft's are refused as a whole", async (t) => {
	const hosts = await three();
	const handler = hosts.world.rpcs.get(nodeId(1))!.handlerOf("raft")!;
	const from = { nodeId: nodeId(2), bootId: "2.2" as never };
	for (const body of [
		null,
		{},
		[],
		[2],
		[1, 5],
		[1, [7, 99, 20, 10, 4]],
		[1, [7, 4, 20, 10, -1]],
		[1, [7, 4, 20, 10, 4, 5, 3, 5, 4, "x"]],
	]) {
		t.throws(() => handler(body, from), { code: "08P01" });
	}
	await hosts.world.settle();
	t.is(hosts.leader, 1);
	t.deepEqual(hosts.world.fatals, []);
});

/** As one large command after the other, until the group is behind. */
async function fill(hosts: Hosts): Promise<number> {
	let count = 0;
	while (hosts.node(1).handle.admit(1) === undefined && count < 100) {
		await hosts.propose(1, "x".repeat(1 << 18));
		count++;
	}
	return count;
}

test("large commands wait for a follower that is far behind, until it has caught up", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(200);
	hosts.node(3).wal.isHeld = true;
	const count = await fill(hosts);
	t.true(count > 4 && count < 40);
	let isIn = false;
	void hosts
		.node(1)
		.handle.admit(1 << 18)
		?.then(() => {
			isIn = true;
		});
	// A small one is not asked about.
	t.true(await hosts.propose(1, "b"));
	t.true(hosts.texts(1).endsWith("b"));
	t.false(isIn);
	hosts.node(3).wal.isHeld = false;
	hosts.node(3).wal.sync();
	await hosts.world.advance(300);
	t.true(isIn);
	t.true(hosts.node(1).host.statistics().writesDelayed > 0);
	t.deepEqual(hosts.world.fatals, []);
});

test("large commands do not wait for a follower that is dead, or whose disk stands still", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(200);
	hosts.node(3).wal.isHeld = true;
	await fill(hosts);
	let isIn = false;
	void hosts
		.node(1)
		.handle.admit(1 << 18)
		?.then(() => {
			isIn = true;
		});
	await hosts.world.advance(1_100);
	t.true(isIn);
	t.is(hosts.leader, 1);
	hosts.crash(3);
	t.is(hosts.node(1).handle.admit(1 << 18), undefined);
	t.true(await hosts.propose(1, "b"));
	t.true(hosts.texts(1).endsWith("b"));
	t.deepEqual(hosts.world.fatals, []);
});

test("large commands stop waiting when leadership is lost", async (t) => {
	const hosts = await three();
	await hosts.propose(1, "a");
	await hosts.world.advance(200);
	hosts.node(3).wal.isHeld = true;
	await fill(hosts);
	const waiting = hosts.node(1).handle.admit(1 << 18);
	t.not(waiting, undefined);
	hosts.node(1).handle.transferLeadership(replicaId(20));
	await hosts.world.advance(200);
	t.is(hosts.leader, 2);
	await waiting;
	t.is(hosts.node(1).handle.admit(1 << 18), undefined);
});

test("a machine that stops early is given the rest in later turns", async (t) => {
	const hosts = await three();
	for (const node of hosts.nodes.values()) node.machine.applyMax = 3;
	for (let i = 0; i < 50; i++) hosts.node(1).handle.propose(Buffer.from(`p${i}`));
	await hosts.world.advance(300);
	const all = Array.from({ length: 50 }, (_, i) => `p${i}`).join(" ");
	for (const id of [1, 2, 3]) t.is(hosts.texts(id), all);
	t.deepEqual(hosts.world.fatals, []);
});

test("groups with much to apply take turns: none waits longer than each of the others has applied once", async (t) => {
	const world = new FakeWorld();
	const wal = new FakeWal(world);
	const runtime = world.runtime(
		() => 0.5,
		() => true,
	);
	const rpc = new FakeRpc(world, nodeId(1), 1);
	const syncEngine = () => Promise.resolve();
	const host = new NodeRaftHost({
		runtime,
		wal,
		recovered: wal.recovered(),
		rpc,
		nodeId: nodeId(1),
		syncEngine,
	});
	const alone = { ...birth, configuration: { ...emptyConfiguration, voters: [replicaId(10)] } };
	/** Which groups have applied, by turn. */
	const turns: number[][] = [[]];
	const groups = 9;
	const handles = Array.from({ length: groups }, (_, n) => {
		const machine = new ListMachine(alone);
		machine.applyMax = 1;
		machine.bytesOf = () => 60 << 10;
		machine.onApply = () => turns.at(-1)!.push(n);
		return host.addGroup({
			rangeId: rangeId(n + 1),
			replicaId: replicaId(10),
			machine,
			applied: machine.applied,
			campaignAtStart: true,
			bornAt: birth.index,
			statePath: "engine",
		});
	});
	await world.settle();
	turns.splice(0, turns.length, []);
	const proposed = 4;
	for (const handle of handles) {
		for (let i = 0; i < proposed; i++) handle.propose(Buffer.from(`p${i}`));
	}
	for (let n = 0; n < 200; n++) {
		await world.turn();
		turns.push([]);
	}
	t.is(turns.flat().length, groups * proposed);
	for (const turn of turns) t.true(turn.length <= 2, turn.join(" "));
	for (let round = 0; round < proposed; round++) {
		const round1 = turns.flat().slice(round * groups, (round + 1) * groups);
		t.deepEqual(
			[...round1].sort(),
			Array.from({ length: groups }, (_, n) => n),
		);
	}
	t.deepEqual(world.fatals, []);
	await host.close();
});
