import type { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { type Key, key, keyMax, pointSpan } from "@quorate/keys/key";
import type { RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import { answerToWire } from "@quorate/replica/range-wire";
import type { RangeAnswer } from "@quorate/replica/requests";
import { type Rpc, RpcError } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { RangeRouter } from "./router.ts";
import { validate } from "./validate.ts";

const nodes = [1, 2, 3] as NodeId[];
const everything: RangeInfo = {
	descriptor: {
		rangeId: 1 as RangeId,
		start: "" as Key,
		end: keyMax,
		epoch: { version: 1, conf: 1 },
		replicas: nodes.map((nodeId) => ({
			nodeId,
			replicaId: nodeId as number as ReplicaId,
			role: "voter",
		})),
	},
	leaseholder: 1 as NodeId,
};

/** Timers fire at once. */
const runtimeAt = (monotonicMs: () => number): Runtime =>
	({
		clock: { monotonicMs },
		scheduler: { setTimer: (_delayMs: number, task: () => void) => task() },
		random: { float: () => 0 },
	}) as unknown as Runtime;

const placement = {
	lookup: async () => [everything],
	seen: () => 1 as Timestamp,
} as unknown as PlacementClient;

test("a leaseholder that was found by trying is remembered", async (t) => {
	const asked: NodeId[] = [];
	const runtime = runtimeAt(() => 0);
	const router = new RangeRouter({
		runtime,
		nodeId: 2 as NodeId,
		placement,
		rpc: {
			call: async (to: NodeId) => {
				asked.push(to);
				throw new RpcError("timeout", "it stands still");
			},
		} as unknown as Rpc,
		local: (): RangeAnswer => {
			asked.push(2 as NodeId);
			return { kind: "values", values: [null] };
		},
	});
	const k = key("k");
	const body = { kind: "read", keys: [k], s: 1 as Timestamp, transaction: null } as const;
	t.is((await router.request(k, body, { idempotent: true })).kind, "values");
	t.deepEqual(asked, [1, 2]);
	// Without it the silent node would be waited for again, by every request.
	t.is((await router.request(k, body, { idempotent: true })).kind, "values");
	t.deepEqual(asked, [1, 2, 2]);
});

test("what is told of another range, which does not hold the key, is no reason to ask the same again", async (t) => {
	const part = (id: number, start: string, end: Key, version: number): RangeInfo => ({
		...everything,
		descriptor: {
			...everything.descriptor,
			rangeId: id as RangeId,
			start: start as Key,
			end,
			epoch: { version, conf: 1 },
		},
	});
	const [left, right] = [part(1, "", key("m"), 5), part(3, "m", keyMax, 5)];
	const known = [part(2, "p", keyMax, 2), right];
	const router = new RangeRouter({
		runtime: { clock: { monotonicMs: () => 0 } } as unknown as Runtime,
		nodeId: 1 as NodeId,
		placement: {
			lookup: async () => [known.shift()],
			seen: () => 1 as Timestamp,
		} as unknown as PlacementClient,
		rpc: {} as Rpc,
		// Range 2 has become part of range 1, which was split since.
		local: ({ rangeId }): RangeAnswer =>
			rangeId === 3
				? { kind: "values", values: [null] }
				: { kind: "stale", ranges: [left.descriptor] },
	});
	const k = key("x");
	const body = { kind: "read", keys: [k], s: 1 as Timestamp, transaction: null } as const;
	t.is((await router.request(k, body, { idempotent: true })).kind, "stale");
	t.is((await router.request(k, body, { idempotent: true })).kind, "values");
});

/** What becomes of a request for a lock of which node 1 says something after a while, and which node 2 can serve. */
async function afterWait(waitMs: number, said: "served" | "refused" | "lost"): Promise<string> {
	let nowMs = 0;
	const runtime = runtimeAt(() => nowMs);
	const { descriptor } = everything;
	const [kind, leaseholder] = ["not-leaseholder", 2 as NodeId] as const;
	const router = new RangeRouter({
		runtime,
		nodeId: 2 as NodeId,
		placement,
		rpc: {
			call: async () => {
				nowMs += waitMs;
				if (said === "lost") throw new RpcError("lost", "the connection broke");
				return answerToWire({ kind, leaseholder, descriptor, served: said === "served" });
			},
		} as unknown as Rpc,
		local: (): RangeAnswer => ({ kind: "locked", values: [] }),
	});
	const lock = {
		owner: "o" as LockOwner,
		strength: "update",
		wait: "block",
		timeoutMs: 0,
	} as const;
	const body = { kind: "lock-read", keys: [key("k")], lock, transaction: null } as const;
	try {
		return (await router.request(key("k"), body, { idempotent: true })).kind;
	} catch (error) {
		return (error as DatabaseError).code;
	}
}

test("who has waited for a lock until its node had the lease no more goes on at the next, however long that was", async (t) => {
	t.is(await afterWait(11_000, "served"), "locked");
	t.is(await afterWait(11_000, "lost"), "locked");
	t.is(await afterWait(11_000, "refused"), "57P03", "nobody has served it for so long");
});

test("what a large transaction has read is validated some thousand items at a time", async (t) => {
	const asked: number[] = [];
	const router = new RangeRouter({
		runtime: runtimeAt(() => 0),
		nodeId: 1 as NodeId,
		placement,
		rpc: {} as unknown as Rpc,
		local: ({ body }): RangeAnswer => {
			if (body.kind === "validate") asked.push(body.items.length);
			return asked.length < 3
				? { kind: "done" }
				: { kind: "conflict", reason: "it has changed", key: null };
		},
	});
	const since = 1 as Timestamp;
	const items = Array.from({ length: 20_000 }, (_, n) => ({
		span: pointSpan(key(`k${n}`)),
		since,
	}));
	const validation = { transaction: null, owner: "o" as LockOwner, items, c: 2 as Timestamp };
	t.is((await validate(router, validation)).kind, "conflict");
	t.deepEqual(asked, [5_000, 5_000, 5_000]);
});
