import type { LockOwner, NodeId } from "@quorate/keys/ids";
import test from "ava";
import { Gateway, type GatewayOptions } from "./gateway.ts";

test("locks on the own node are free when the transaction has ended, before anything else is asked of it", (t) => {
	const done: unknown[] = [];
	const options = {
		nodeId: 1 as NodeId,
		rpc: {
			handle: () => {},
			send: (...sent: unknown[]) => done.push(sent),
		},
		locks: {
			unlock: (owner: LockOwner) => done.push(["here", owner]),
			cancelWaits: (owner: LockOwner) => done.push(["waits here", owner]),
		},
	};
	const gateway = new Gateway(options as unknown as GatewayOptions);
	const owner = "o" as LockOwner;
	gateway.unlock(1 as NodeId, owner);
	gateway.cancelWaits(1 as NodeId, owner);
	gateway.unlock(2 as NodeId, owner);
	t.deepEqual(done, [
		["here", owner],
		["waits here", owner],
		[2, "unlock", owner],
	]);
});
