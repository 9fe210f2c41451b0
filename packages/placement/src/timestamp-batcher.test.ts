import type { Timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import type { Attempt, LeaderCalls } from "./leader-calls.ts";
import { TestDisk, TestProcess, TestWorld } from "./testing/test-world.ts";
import { TimestampBatcher } from "./timestamp-batcher.ts";

test("requests that have failed side by side are made again in the order of the calls", async (t) => {
	const world = new TestWorld(1);
	const { runtime } = new TestProcess(world, "10.0.0.1:1", new TestDisk());
	const open: ((attempt: Attempt) => void)[] = [];
	const batcher = new TimestampBatcher({
		runtime,
		calls: { backoffMs: () => 20 } as unknown as LeaderCalls,
		request: () => new Promise((resolve) => open.push(resolve)),
		isLocal: () => true,
		onIssued: () => undefined,
	});
	const drawn: Timestamp[] = [];
	const call = (n: number) =>
		void batcher.issue(5_000).then(({ timestamp }) => {
			drawn[n] = timestamp;
		});
	for (let n = 0; n < 3; n++) {
		call(n);
		await world.run(10_000, () => open.length > n);
	}
	for (const end of open.splice(0)) end({ kind: "unknown" });
	await world.run(10_000, () => open.length === 1);
	open[0]!({ kind: "answer", value: [100, 1] });
	await world.run(10_000, () => drawn.length === 3);
	t.deepEqual(drawn as number[], [100, 101, 102]);
});
