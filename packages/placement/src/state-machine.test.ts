import { bootId, nodeId, rangeId } from "@quorate/keys/ids";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import { timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import { decodeCommand, encodeCommand, type PlacementCommand } from "./commands.ts";
import { PlacementState } from "./state-machine.ts";

const founders = [1, 2, 3].map((id) => ({ nodeId: nodeId(id), address: `10.0.0.${id}:1` }));
const genesis = (): PlacementState => PlacementState.genesis(founders);

const register = (node: number, boot: string, previous: string): PlacementCommand => ({
	kind: "register",
	nodeId: nodeId(node),
	address: `10.0.0.${node}:1`,
	sqlAddress: "",
	bootId: bootId(boot),
	previousBootId: bootId(previous),
	locality: "",
});

test("at birth: the founders, one range on all of them, ids from their starts", (t) => {
	const state = genesis();
	t.deepEqual(
		state.nodes().map((node) => [node.nodeId as number, node.bootId as string, node.state]),
		[
			[1, "", "suspect"],
			[2, "", "suspect"],
			[3, "", "suspect"],
		],
	);
	const [first] = state.directory.lookup(keyMin, keyMax, 10);
	t.is(first?.descriptor.rangeId as number, 1);
	t.deepEqual(
		first?.descriptor.replicas.map((r) => [r.nodeId as number, r.replicaId as number, r.role]),
		[
			[1, 1, "voter"],
			[2, 2, "voter"],
			[3, 3, "voter"],
		],
	);
	const starts = { range: 2, replica: 1001, object: 16384, row: 1 } as const;
	for (const [id, start] of Object.entries(starts)) {
		const kind = id as keyof typeof starts;
		t.deepEqual(state.apply({ kind: "allocate", id: kind, count: 10 }), {
			kind: "allocated",
			first: start,
		});
		t.deepEqual(state.apply({ kind: "allocate", id: kind, count: 1 }), {
			kind: "allocated",
			first: start + 10,
		});
	}
});

test("a registration ends the boot before, and a late one of an ended boot is refused", (t) => {
	const state = genesis();
	t.is(state.apply(register(1, "1.a", "")).kind, "done");
	t.is(state.apply(register(1, "1.a", "")).kind, "done");
	t.is(state.apply(register(1, "1.c", "1.a")).kind, "done");
	t.is(state.apply(register(1, "1.a", "")).kind, "refused");
	t.is(state.apply(register(1, "1.b", "1.a")).kind, "refused");
	t.is(state.node(nodeId(1))?.bootId as string, "1.c");
	t.is(state.apply(register(9, "9.a", "")).kind, "refused");
	state.apply({ kind: "mark-node", nodeId: nodeId(1), state: "removed" });
	t.is(state.apply(register(1, "1.d", "1.c")).kind, "refused");
	t.is(state.apply({ kind: "mark-node", nodeId: nodeId(1), state: "live" }).kind, "refused");
});

test("a join is repeatable, its id new, and the address passes from the node that lost its directory", (t) => {
	const state = genesis();
	state.apply(register(1, "1.a", ""));
	const join = { kind: "join", token: "x", address: "10.0.0.1:1" } as const;
	t.deepEqual(state.apply(join), { kind: "joined", nodeId: nodeId(4) });
	t.deepEqual(state.apply(join), { kind: "joined", nodeId: nodeId(4) });
	t.deepEqual(state.apply({ ...join, token: "y" }), { kind: "joined", nodeId: nodeId(5) });
	state.apply({ ...(register(4, "4.a", "") as object), address: "10.0.0.1:1" } as never);
	t.like(state.node(nodeId(1)), { state: "dead", address: "" });
	t.like(state.node(nodeId(4)), { state: "live", address: "10.0.0.1:1" });
});

test("schema versions are known as of any timestamp", (t) => {
	const state = genesis();
	state.apply({ kind: "ceiling", value: timestamp(1000) });
	t.is(state.schemaVersion(), 1);
	t.deepEqual(state.apply({ kind: "raise-schema", c: timestamp(10) }), {
		kind: "raised",
		version: 2,
		c: timestamp(10),
	});
	state.apply({ kind: "raise-schema", c: timestamp(20) });
	const at = [0, 9, 10, 19, 20, 5000].map((ts) => state.schemaVersionAt(timestamp(ts)));
	t.deepEqual(at, [1, 1, 2, 2, 3, 3]);
	t.throws(() => state.apply({ kind: "raise-schema", c: timestamp(20) }), { message: /S1/ });
	t.throws(() => state.apply({ kind: "raise-schema", c: timestamp(1000) }), { message: /O2/ });
});

test("an entry or a state of a newer format is refused by name", (t) => {
	t.throws(() => decodeCommand(Buffer.from('{"v":4,"kind":"ceiling","value":1}')), {
		message: /placement log entry has format 4, this build reads up to 3/,
	});
	t.throws(() => PlacementState.decode(Buffer.from('{"format":4}')), {
		message: /placement state has format 4, this build reads up to 3/,
	});
});

test("an entry and a state of the format before are read", (t) => {
	t.deepEqual(decodeCommand(Buffer.from('{"v":1,"kind":"set","name":"a","value":"b"}')), {
		kind: "set",
		name: "a",
		value: "b",
	});
	const state = genesis();
	state.apply({ kind: "set", name: "a", value: "b" });
	const encoded = JSON.parse(Buffer.from(state.encode()).toString());
	const { eventIdNext: _, events: __, ...second } = encoded;
	const { settingsVersion: ___, ...first } = second;
	for (const before of [
		{ ...first, format: 1 },
		{ ...second, format: 2 },
	]) {
		const read = PlacementState.decode(Buffer.from(JSON.stringify(before)));
		t.deepEqual(read.settings(), state.settings());
		t.deepEqual(read.events(), []);
	}
});

const text = fc.constantFrom("a", "b", "\x00\xff", "c d");
const command: fc.Arbitrary<PlacementCommand> = fc.oneof(
	fc.record({ kind: fc.constant("ceiling" as const), value: fc.nat(1e6).map(timestamp) }),
	fc.tuple(fc.nat(6), fc.nat(3), fc.nat(3)).map(([n, x, y]) => register(n, `b${x}`, `b${y}`)),
	fc.record({ kind: fc.constant("join" as const), token: text, address: text }),
	fc.record({
		kind: fc.constant("mark-node" as const),
		nodeId: fc.nat(6).map(nodeId),
		state: fc.constantFrom("live" as const, "dead" as const, "removed" as const),
	}),
	fc.record({
		kind: fc.constant("allocate" as const),
		id: fc.constantFrom("range" as const, "replica" as const, "object" as const, "row" as const),
		count: fc.integer({ min: 1, max: 1000 }),
	}),
	fc.record({ kind: fc.constant("set" as const), name: text, value: text }),
	fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(4), text).map(
		([id, version, start]): PlacementCommand => ({
			kind: "report",
			ranges: [
				{
					descriptor: {
						rangeId: rangeId(id),
						start: start as Key,
						end: keyMax,
						epoch: { version: version + 1, conf: 1 },
						replicas: [],
					},
					leaseholder: version % 2 === 0 ? undefined : nodeId(version),
				},
			],
		}),
	),
);

test("a state taken from a snapshot at any point ends like one that saw all commands", (t) => {
	fc.assert(
		fc.property(fc.array(command, { maxLength: 40 }), fc.nat(40), (commands, at) => {
			const all = genesis();
			let restored = genesis();
			for (const [i, original] of commands.entries()) {
				if (i === at) {
					restored = PlacementState.decode(restored.encode());
				}
				const decoded = decodeCommand(encodeCommand(original));
				t.deepEqual(restored.apply(decoded), all.apply(decoded));
			}
			t.deepEqual(Buffer.from(restored.encode()), Buffer.from(all.encode()));
			t.deepEqual(
				Buffer.from(PlacementState.decode(all.encode()).encode()),
				Buffer.from(all.encode()),
			);
		}),
		{ numRuns: 300 },
	);
});
