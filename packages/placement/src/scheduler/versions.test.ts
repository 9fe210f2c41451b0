import {
	activeVersion,
	firstVersions,
	ownVersions,
	versionSetting,
} from "@quorate/keys/cluster-version";
import { bootId, nodeId } from "@quorate/keys/ids";
import test from "ava";
import { methods, readObject } from "../messages.ts";
import { PlacementState } from "../state-machine.ts";
import { TestCluster } from "../testing/test-cluster.ts";
import type { NodeRecord } from "../types.ts";
import { possibleVersion } from "./versions.ts";

const node = (id: number, newest: number | undefined, state: NodeRecord["state"] = "live") => ({
	nodeId: nodeId(id),
	address: "",
	sqlAddress: "",
	bootId: bootId("b"),
	state,
	locality: "",
	schemaVersion: 0,
	...(newest === undefined ? {} : { versions: { oldest: 1, newest } }),
});

test("the version is that of the oldest build that may come back", (t) => {
	t.is(possibleVersion([node(1, 3), node(2, 2), node(3, 4)]), 2);
	t.is(possibleVersion([node(1, 3), node(2, 2, "suspect"), node(3, 4, "draining")]), 2);
	t.is(possibleVersion([node(1, 3), node(2, 2, "dead"), node(3, 1, "removed")]), 3);
	t.is(possibleVersion([node(1, 3), node(2, undefined)]), 1);
});

test("it only rises, and who is too old for it does not register", (t) => {
	const founders = [1, 2].map((id) => ({ nodeId: nodeId(id), address: `10.0.0.${id}:1` }));
	const state = PlacementState.genesis(founders);
	const register = (id: number, versions: typeof firstVersions | undefined) =>
		state.apply({
			kind: "register",
			nodeId: nodeId(id),
			address: `10.0.0.${id}:1`,
			sqlAddress: "",
			bootId: bootId("b"),
			previousBootId: bootId(""),
			locality: "",
			...(versions === undefined ? {} : { versions }),
		});
	const set = (value: string | null) => state.apply({ kind: "set", name: versionSetting, value });
	t.is(register(1, undefined).kind, "done");
	t.is(state.clusterVersion(), 1);
	set("2");
	for (const lower of ["1", null]) {
		set(lower);
		t.is(state.clusterVersion(), 2);
	}
	for (const versions of [undefined, firstVersions]) {
		const result = register(2, versions);
		t.regex(result.kind === "refused" ? result.reason : "", /node 2 must not join: .* too old/);
	}
	t.is(register(2, ownVersions).kind, "done");
	t.is(PlacementState.decode(state.encode()).clusterVersion(), 2);
	t.deepEqual(PlacementState.decode(state.encode()).encode(), state.encode());
});

test("who has registered with an older leader tells its versions with a heartbeat", async (t) => {
	const cluster = new TestCluster(4);
	for (const id of [1, 2, 3]) await cluster.start(id);
	for (const { rpc } of cluster.nodes.values()) {
		const handler = rpc.handler(methods.register)!;
		rpc.handle(methods.register, (body, from) => {
			const { versions: _unknown, ...rest } = readObject(body);
			return handler(rest as typeof body, from);
		});
	}
	const nodes = [...cluster.nodes.values()];
	await cluster.settle(Promise.all(nodes.map((n) => n.placement.registered)));
	for (const { placement } of nodes) {
		const nothing = () => Promise.reject(new Error("nothing moves"));
		const executor = { relocate: nothing, moveLease: nothing, splitAt: nothing };
		const mergeRules = () => ({ maxBytes: 0, maxLoad: 0, afterMs: 0 });
		const rest = { wake: nothing, merge: nothing, mergeRules };
		placement.schedule({ ...executor, ...rest, rules: () => undefined });
	}
	await cluster.pass(10_000);
	for (const { placement } of nodes) {
		t.is(activeVersion(placement.client.settings().values), ownVersions.newest);
	}
});
