import { ownVersions, versionSetting } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import { nodeId, rangeId, replicaId } from "@quorate/keys/ids";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import test from "ava";
import { methods } from "./messages.ts";
import { addressOf, TestCluster } from "./testing/test-cluster.ts";

test("every node draws unique timestamps that rise in real time, through changes of leader", async (t) => {
	for (let seed = 1; seed <= 20; seed++) {
		const cluster = await TestCluster.of(seed);
		const { world } = cluster;
		const used = new Set<number>();
		let highest = 0;
		let answers = 0;
		const draw = (id: number) => {
			const floor = highest;
			cluster
				.node(id)
				.placement.client.issue(5000)
				.then(
					({ timestamp }) => {
						t.true(timestamp > floor, "above all that were issued before the call");
						t.false(used.has(timestamp));
						used.add(timestamp);
						highest = Math.max(highest, timestamp);
						answers++;
					},
					(error: DatabaseError) => t.is(error.code, "57P03"),
				);
		};
		for (let i = 0; i < 300; i++) {
			const id = 1 + Math.floor(world.random() * 3);
			draw(id);
			draw(id);
			if (world.random() < 0.02) {
				cluster.group.elect(replicaId(1 + Math.floor(world.random() * 3)));
			}
			await cluster.pass(world.random() * 20);
		}
		await cluster.pass(10_000);
		t.true(answers > 500, `${answers} answers`);
	}
});

test("calls of one tick share one request", async (t) => {
	const cluster = await TestCluster.of(1);
	const { client } = cluster.node(1).placement;
	const leader = cluster.group.leader!;
	const other = cluster.node(leader === 3 ? 2 : 3);
	await cluster.settle(other.placement.client.issue());
	const counts: unknown[] = [];
	const handler = cluster.node(leader).rpc.handler(methods.issue)!;
	cluster.node(leader).rpc.handle(methods.issue, (body, from) => {
		counts.push(body);
		return handler(body, from);
	});
	const issued = await cluster.settle(
		Promise.all(Array.from({ length: 10 }, () => other.placement.client.issue())),
	);
	t.deepEqual(counts, [10]);
	const distinct = new Set(issued.map(({ timestamp }) => timestamp as number));
	t.is(distinct.size, 10);
	t.is(other.placement.client.seen() as number, Math.max(...distinct));
	t.is(other.placement.client.schemaVersion(), 1);
	client.observe(other.placement.client.seen());
	t.is(client.seen(), other.placement.client.seen());
});

test("without a majority: 57P03 in time, and the node goes on when it is back", async (t) => {
	const cluster = await TestCluster.of(2);
	cluster.node(2).process.crash();
	cluster.node(3).process.crash();
	const { client } = cluster.node(1).placement;
	const started = cluster.world.nowMs;
	const error = await t.throwsAsync(cluster.settle(client.issue(3000)), {
		instanceOf: DatabaseError,
	});
	t.is((error as DatabaseError).code, "57P03");
	const waitedMs = cluster.world.nowMs - started;
	t.true(waitedMs >= 3000 && waitedMs < 3500, `${waitedMs} ms`);
	await t.throwsAsync(cluster.settle(client.allocate("range", 1)), { code: "57P03" });
	await cluster.start(3);
	t.true((await cluster.settle(client.issue())).timestamp > 0);
});

test("ids, ranges and settings come from the leader, wherever they are asked", async (t) => {
	const cluster = await TestCluster.of(3);
	const { client } = cluster.node(2).placement;
	t.is(await cluster.settle(client.allocate("object", 100)), 16384);
	t.is(await cluster.settle(cluster.node(3).placement.client.allocate("object", 1)), 16484);
	const [first] = await cluster.settle(client.lookup(keyMin, keyMax, 10));
	t.is(first?.descriptor.rangeId as number, 1);
	t.is(first?.leaseholder, undefined);
	const left = { ...first!.descriptor, end: "m" as Key, epoch: { version: 2, conf: 1 } };
	const right = { ...left, rangeId: rangeId(2), start: "m" as Key, end: keyMax };
	await cluster.settle(
		client.report([
			{ descriptor: left, leaseholder: nodeId(2) },
			{ descriptor: right, leaseholder: undefined },
		]),
	);
	const found = await cluster.settle(cluster.node(1).placement.client.lookup(keyMin, keyMax, 10));
	t.deepEqual(
		found.map((info) => [info.descriptor.rangeId as number, info.leaseholder as unknown]),
		[
			[1, 2],
			[2, undefined],
		],
	);
});

test("a setting is in force on all nodes when whoever set it is answered, and after a restart", async (t) => {
	const cluster = await TestCluster.of(3);
	const { client } = cluster.node(2).placement;
	const version = [versionSetting, String(ownVersions.newest)];
	const valuesAt = (node: number) => [...cluster.node(node).placement.client.settings().values];
	t.deepEqual([1, 2, 3].map(valuesAt), [[version], [version], [version]]);
	await cluster.settle(client.set("x", "1"));
	t.deepEqual([1, 2, 3].map(valuesAt), Array(3).fill([version, ["x", "1"]]));
	cluster.node(3).process.crash();
	await cluster.settle(client.set("x", null));
	await cluster.settle(client.set("y", "2"));
	await cluster.settle((await cluster.start(3)).placement.registered);
	t.deepEqual([1, 2, 3].map(valuesAt), Array(3).fill([version, ["y", "2"]]));
});

test("a schema change is seen by all live nodes at once, a silent one is not waited for", async (t) => {
	const cluster = await TestCluster.of(4);
	const { client } = cluster.node(2).placement;
	const raised = await cluster.settle(client.raiseSchemaVersion());
	t.is(raised.schemaVersion, 2);
	const started = cluster.world.nowMs;
	t.true(await cluster.settle(client.awaitSchemaVersion(2, 10_000)));
	t.true(cluster.world.nowMs - started < 100, `${cluster.world.nowMs - started} ms`);
	for (const node of cluster.nodes.values()) {
		t.is(node.placement.client.schemaVersion(), 2);
	}
	t.false(await cluster.settle(client.awaitSchemaVersion(3, 1500)));

	const silent = [1, 2, 3].find((id) => id !== 2 && id !== cluster.group.leader)!;
	cluster.node(silent).process.crash();
	const again = await cluster.settle(client.raiseSchemaVersion());
	t.false(await cluster.settle(client.awaitSchemaVersion(again.schemaVersion, 500)));
	t.true(await cluster.settle(client.awaitSchemaVersion(again.schemaVersion, 10_000)));
	const states = await cluster.settle(client.nodes());
	t.is(states.find((node) => node.nodeId === silent)?.state, "suspect");
});

test("a second boot of a node ends the first, which is told so", async (t) => {
	const cluster = await TestCluster.of(5);
	await cluster.start(4);
	const { client } = cluster.node(1).placement;
	await t.throwsAsync(cluster.settle(cluster.node(4).placement.registered), { code: "55000" });

	const first = cluster.node(3);
	const before = (await cluster.settle(client.nodes()))[2]!.bootId;
	const second = await cluster.start(3, "10.0.0.33:1");
	await cluster.settle(second.placement.registered);
	const record = (await cluster.settle(client.nodes()))[2]!;
	t.not(record.bootId, before);
	t.is(record.address, "10.0.0.33:1");
	await cluster.pass(3000);
	t.true(first.isEnded);
	t.false(second.isEnded);
	t.is(cluster.node(1).book.addressOf(nodeId(3)), "10.0.0.33:1");
});

test("a node joins under a new id; once removed it is refused", async (t) => {
	const cluster = await TestCluster.of(6);
	const { rpc, placement } = cluster.node(1);
	const request = { token: "abc", address: addressOf(4) };
	const join = () =>
		cluster.settle(rpc.callAddress(addressOf(2), methods.join, request, { timeoutMs: 5000 }));
	t.like(await join(), { nodeId: 4 });
	t.like(await join(), { nodeId: 4 });
	for (const id of [1, 2, 3]) cluster.certificates.set(id, "shared");
	cluster.certificates.set(4, "first");
	const node = await cluster.start(4);
	await cluster.settle(node.placement.registered);
	cluster.certificates.set(4, "second");
	await cluster.pass(2000);
	t.true((await cluster.settle(node.placement.client.issue())).timestamp > 0);
	t.deepEqual(
		node.placement.client.nodesCached().map((record) => record.state),
		["live", "live", "live", "live"],
	);
	const { client } = placement;
	await t.throwsAsync(cluster.settle(client.markNode(nodeId(4), "removed")), {
		message: "node 4 is in use: drain it first",
	});
	await cluster.settle(client.markNode(nodeId(4), "draining"));
	await cluster.settle(client.markNode(nodeId(4), "removed"));
	const { events } = await cluster.settle(client.overview());
	t.deepEqual(
		events.filter(({ kind }) => kind === "node").map((event) => event.reason),
		["an operator: live to draining", "an operator: draining to removed"],
	);
	await cluster.pass(2000);
	t.true(node.isEnded);
	const { book } = cluster.node(2);
	t.regex(book.whyBarred(nodeId(4), undefined)!, /node 4 was removed/);
	t.regex(book.whyBarred(undefined, "second")!, /certificate of node 4, which was removed/);
	t.is(book.whyBarred(nodeId(3), "shared"), undefined);
	node.process.crash();
	const again = await cluster.start(4);
	const error = await t.throwsAsync(cluster.settle(again.placement.registered), {
		code: "55000",
	});
	t.is(error?.message, "node 4 was removed from this cluster");
});

test("all nodes restart from their checkpoints and find each other at new addresses", async (t) => {
	const cluster = await TestCluster.of(7);
	const { client } = cluster.node(1).placement;
	await cluster.settle(client.allocate("row", 5));
	const before = await cluster.settle(client.issue());
	const moved = await cluster.start(3, "10.0.0.33:1");
	await cluster.settle(moved.placement.registered);
	await cluster.pass(2000);
	for (const node of cluster.nodes.values()) {
		await cluster.settle(cluster.group.checkpoint(node.process));
		node.process.crash();
	}
	const entries = cluster.group.entries;
	await cluster.start(3, "10.0.0.33:1");
	const two = await cluster.start(2);
	await cluster.settle(two.placement.registered);
	t.is(two.book.addressOf(nodeId(3)), "10.0.0.33:1");
	t.is(await cluster.settle(two.placement.client.allocate("row", 1)), 6);
	const after = await cluster.settle(two.placement.client.issue());
	t.true(after.timestamp > before.timestamp);
	t.true(cluster.group.entries > entries);
});

test("an idle cluster writes nothing to the log", async (t) => {
	const cluster = await TestCluster.of(8);
	await cluster.pass(1000);
	const { entries } = cluster.group;
	await cluster.pass(60_000);
	t.is(cluster.group.entries, entries);
});

test("malformed requests are refused before they reach the log", async (t) => {
	const cluster = await TestCluster.of(9);
	const handler = (method: string) => cluster.node(cluster.group.leader!).rpc.handler(method)!;
	const { entries } = cluster.group;
	const bodies: readonly (readonly [string, unknown])[] = [
		[methods.allocate, { kind: "row", count: -1 }],
		[methods.allocate, { kind: "toString", count: 1 }],
		[methods.allocate, null],
		[methods.report, [[{ rangeId: 1 }, 0]]],
		[methods.report, "x"],
		[methods.register, { nodeId: 1, address: 5 }],
		[methods.set, { name: "x", value: "y".repeat(2000) }],
		[methods.issue, 0],
		[methods.issue, 2 ** 40],
		[methods.issue, "1"],
	];
	for (const [method, body] of bodies) {
		const call = (async () => handler(method)(body, undefined))();
		await t.throwsAsync(
			cluster.settle(call),
			{ code: "08P01" },
			`${method} ${JSON.stringify(body)}`,
		);
	}
	t.is(cluster.group.entries, entries);
});
