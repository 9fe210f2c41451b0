import { replicaId } from "@quorate/keys/ids";
import test from "ava";
import { Cluster, type ClusterOptions, emptyConfiguration } from "./testing/cluster.ts";

const electionTicks = 10;
const bounds = { inflightBytesMax: 2_000, unappliedBytesMax: 3_000, appendBytesMax: 500 };
const text = "x".repeat(84);
/** With what an entry counts beside its data. */
const entryBytes = 100;

function three(options: Partial<ClusterOptions> = {}): Cluster {
	const cluster = new Cluster({ random: () => 0, electionTicks, ...bounds, ...options });
	const voters = [1, 2, 3].map(replicaId);
	for (const id of voters) cluster.add(id, { ...emptyConfiguration, voters });
	cluster.act(1, (group) => group.campaign());
	deliver(cluster);
	return cluster;
}

/** What is on its way arrives, but for what `isLost` names. */
function deliver(cluster: Cluster, isLost: (from: number, to: number) => boolean = () => false) {
	while (cluster.packets.length > 0) {
		for (const packet of cluster.packets.splice(0)) {
			const { from, to } = packet.kind === "message" ? packet.message : packet;
			if (!isLost(from, to)) cluster.deliver(packet);
		}
	}
}

function tickAll(cluster: Cluster): void {
	for (const id of cluster.nodes.keys()) cluster.tick(id);
}

/** Bytes of its log that a replica keeps and has not applied. */
function keptBytes(cluster: Cluster, id: number): number {
	const { applied, lastIndex } = cluster.node(id).group!.status();
	return (lastIndex - applied) * entryBytes;
}

test("a follower that does not apply keeps a bounded part of what the others commit, and holds up nobody", (t) => {
	const cluster = three();
	cluster.slow.add(3);
	let most = 0;
	for (let i = 0; i < 5_000; i++) {
		t.not(cluster.propose(1, text), undefined);
		deliver(cluster);
		// It answers heartbeats all the time, and is sent no more for it.
		if (i % 5 === 0) tickAll(cluster);
		most = Math.max(most, keptBytes(cluster, 3));
	}
	const { role, applied, lastIndex } = cluster.node(1).group!.status();
	t.deepEqual([role, applied], ["leader", lastIndex]);
	t.true(cluster.node(1).group!.term === cluster.node(3).group!.term);
	const { inflightBytesMax, unappliedBytesMax, appendBytesMax } = bounds;
	t.true(most > unappliedBytesMax && most <= inflightBytesMax + unappliedBytesMax + appendBytesMax);
	cluster.slow.clear();
	cluster.act(3, () => undefined);
	for (let i = 0; i < 3; i++) {
		deliver(cluster);
		tickAll(cluster);
	}
	t.is(cluster.node(3).group!.applied, lastIndex);
	t.is(cluster.node(1).group!.backlogBytes, 0);
});

test("a quorum that does not apply is waited for, and the log of its leader stays bounded", (t) => {
	const cluster = three({ backlogBytesMax: 20_000 });
	cluster.slow.add(2).add(3);
	let refused = 0;
	for (let i = 0; i < 1_000; i++) {
		if (cluster.propose(1, text) === undefined) refused++;
		deliver(cluster);
		if (i % 5 === 0) tickAll(cluster);
	}
	t.true(refused > 500);
	t.true(keptBytes(cluster, 1) <= 20_000 + entryBytes);
	t.is(cluster.node(1).group!.role, "leader");
	cluster.slow.clear();
	for (let i = 0; i < 3; i++) {
		for (const id of [2, 3]) cluster.act(id, () => undefined);
		deliver(cluster);
		tickAll(cluster);
	}
	t.not(cluster.propose(1, text), undefined);
	const { applied, lastIndex } = cluster.node(1).group!.status();
	t.is(applied, lastIndex - 1);
});

test("a window that was lost as a whole is sent again", (t) => {
	const cluster = three();
	for (let i = 0; i < 100; i++) {
		cluster.propose(1, text);
		deliver(cluster, (_, to) => to === 3);
	}
	const sent = cluster.node(1).group!.status();
	t.is(sent.progress.find(({ replica }) => replica === 3)?.state, "replicate");
	t.true(cluster.node(3).group!.status().lastIndex < sent.lastIndex);
	for (let i = 0; i < 3; i++) {
		tickAll(cluster);
		deliver(cluster);
	}
	t.is(cluster.node(3).group!.status().lastIndex, sent.lastIndex);
});

test("a follower counts for the backlog while it gets on, and no longer", (t) => {
	const cluster = three();
	const leader = cluster.node(1).group!;
	t.is(leader.backlogBytes, 0);
	cluster.held.add(3);
	for (let i = 0; i < 10; i++) cluster.propose(1, text);
	deliver(cluster);
	t.is(leader.applied, leader.status().lastIndex);
	t.is(leader.backlogBytes, 10 * entryBytes);
	// Its disk does something.
	cluster.sync(3);
	deliver(cluster);
	const behind = leader.backlogBytes;
	for (let i = 1; i < electionTicks; i++) {
		tickAll(cluster);
		deliver(cluster);
		t.is(leader.backlogBytes, behind);
	}
	// It is heard from, but its disk stands still.
	tickAll(cluster);
	t.is(leader.backlogBytes, 0);
	cluster.held.delete(3);
	while (cluster.sync(3));
	deliver(cluster);
	cluster.propose(1, text);
	t.is(leader.backlogBytes, entryBytes);
	deliver(cluster);
	t.is(leader.backlogBytes, 0);
	// A connection that is lost counts at once.
	cluster.propose(1, text);
	deliver(cluster, (_, to) => to === 3);
	t.is(leader.backlogBytes, entryBytes);
	cluster.act(1, (group) => group.unreachable(replicaId(3)));
	t.is(leader.backlogBytes, 0);
});

test("what a machine hands back comes again, once, and in order", (t) => {
	let calls = 0;
	const cluster = three({ stopsApplying: () => calls++ % 3 === 0 });
	const texts = Array.from({ length: 50 }, (_, i) => `p${i}`);
	for (const each of texts) cluster.propose(1, each);
	deliver(cluster);
	for (let i = 0; i < 3; i++) {
		tickAll(cluster);
		deliver(cluster);
	}
	for (const id of [1, 2, 3]) {
		const applied = cluster.node(id).state.map((entry) => entry.text);
		t.deepEqual(applied.slice(-50), texts);
	}
});

test("a leader whose turns are as long as several ticks is heard after each of them", (t) => {
	const cluster = three();
	const { term } = cluster.node(1).group!;
	for (let i = 0; i < 20; i++) {
		for (let n = 0; n < 7; n++) {
			for (const id of [2, 3]) cluster.tick(id);
			deliver(cluster);
		}
		cluster.act(1, (group) => group.tick(true, true));
		deliver(cluster);
	}
	t.is(cluster.node(1).group!.role, "leader");
	t.is(cluster.node(1).group!.term, term);
});
