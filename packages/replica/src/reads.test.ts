/** A reader that waits at a replica which leaves its range. */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import test from "ava";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { read } from "./reads.ts";

test("what is pending on a replica that has left its range is waited for no longer", async (t) => {
	const k = key("k");
	const at = 5 as Timestamp;
	const blocker: Blocker = {
		transaction: "1/1.1/1" as TransactionId,
		anchor: k,
		key: k,
		p: 1 as Timestamp,
		pending: true,
	};
	let isHere = true;
	let waits = 0;
	const replica = {
		context: { engine: new MemoryEngine() },
		state: { gcThreshold: 0 },
		covers: () => true,
		owns: () => isHere,
		stale: () => ({ kind: "stale", ranges: [] }),
		blockers: {
			onKey: (_key: Key, _own: unknown, _s: unknown, found: Blocker[]) => found.push(blocker),
			// Nobody can tell what became of it.
			stands: () => true,
			watch: (_blocker: Blocker, wake: () => void) => {
				t.true(++waits < 3);
				setImmediate(() => {
					isHere = waits < 2;
					wake();
				});
				return () => undefined;
			},
		},
	} as unknown as ReplicaCore;
	const answer = await read(replica, { kind: "read", keys: [k], s: at });
	t.is(answer.kind, "stale");
	t.is(waits, 2);
});
