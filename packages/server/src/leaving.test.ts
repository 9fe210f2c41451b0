import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { giveUpLeases } from "./leaving.ts";

/** Ends with 50 virtual seconds. */
function virtualRuntime(): { readonly runtime: Runtime; readonly nowMs: () => number } {
	let nowMs = 0;
	const timers = new Map<() => void, number>();
	const next = (): void => {
		const [task, atMs] = [...timers].sort(([, a], [, b]) => a - b)[0] ?? [];
		if (task !== undefined && atMs! < 50_000) {
			timers.delete(task);
			nowMs = atMs!;
			task();
			setImmediate(next);
		}
	};
	const setTimer = (delayMs: number, run: () => void) => {
		const task = () => run();
		if (timers.size === 0) setImmediate(next);
		timers.set(task, nowMs + delayMs);
		return { cancel: () => void timers.delete(task) };
	};
	const parts = { clock: { monotonicMs: () => nowMs }, scheduler: { setTimer } };
	return { runtime: parts as unknown as Runtime, nowMs: () => nowMs };
}

test("a node is not gone while a lease is on its way, and tells where it went", async (t) => {
	const { runtime, nowMs } = virtualRuntime();
	const [self, taker, other] = [1 as NodeId, 2 as NodeId, 3 as NodeId];
	const descriptor = {
		rangeId: 7 as RangeId,
		replicas: [self, taker, other].map((nodeId) => ({ nodeId, role: "voter" })),
	};
	let holds = true;
	const asked: NodeId[] = [];
	const told: unknown[] = [];
	const replica = {
		leads: () => false,
		transferLease: async (to: NodeId) => {
			asked.push(to);
			if (!holds) return false;
			holds = false;
			return new Promise<boolean>((done) => runtime.scheduler.setTimer(2_500, () => done(true)));
		},
	};
	await giveUpLeases(
		{
			runtime,
			nodeId: self,
			rpc: {
				call: async (node: NodeId, _method: string, body: unknown) => told.push([node, body]),
			} as never,
			placement: {
				nodes: async () => [self, taker, other].map((nodeId) => ({ nodeId, state: "live" })),
				nodesCached: () => [],
			} as never,
			store: {
				statuses: () => [{ descriptor, leaseholder: holds }],
				replica: () => replica,
			} as never,
			mayTake: () => true,
		},
		5_000,
	);
	t.is(asked.length, 1, "of nobody else while it is on its way");
	const given = [{ rangeId: 7, to: asked[0] }];
	t.deepEqual(told, [
		[taker, true],
		[other, true],
		[taker, given],
		[other, given],
	]);
	t.true(nowMs() >= 2_500 && nowMs() < 5_000);
});
