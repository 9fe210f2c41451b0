/**
 * A node whose data were discarded comes back under its own id, but every replica on it is another one. A replica is what has voted
 * and acknowledged; one that forgot that and took part again could help to elect a leader that lacks what was committed.
 *
 * N1. The node draws a replica id from the cluster's counter, and keeps it durably, before it takes part in anything. What was ever
 *     given to it before has a lower id, whatever it was, and is refused from then on (`RangeStore`).
 * N2. Its member of the placement group gets a number that is made of that id. The leader takes it in as a learner, and as a
 *     voter in the place of the old one when it has caught up. Until then the old one counts, and is silent.
 * N3. Its ranges are renewed in the same way, one by one, by their leaseholders (`packages/server`, `renewal.ts`).
 */

import type { Rpc } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { NodeAddressBook } from "./address-book.ts";
import type { ConnectedPlacementClient } from "./client.ts";
import { placementReplica } from "./genesis.ts";
import { writeIdentity } from "./identity-file.ts";
import { LeaderCalls } from "./leader-calls.ts";
import { methods } from "./messages.ts";
import type { NodeIdentity } from "./types.ts";

const retryMs = 200;

/** Waits for a majority of the other founders as long as it takes (N1). */
export async function drawReplicasFrom(options: {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly addressBook: NodeAddressBook;
	readonly identity: NodeIdentity;
}): Promise<NodeIdentity> {
	const { runtime, rpc, addressBook, identity } = options;
	if (identity.replicasFrom !== 0) {
		return identity;
	}
	const known = [...addressBook.members, ...identity.founders.map((f) => f.nodeId)];
	const others = [...new Set(known)].filter((id) => id !== identity.nodeId);
	const calls = new LeaderCalls(runtime, rpc, others);
	for (;;) {
		try {
			const drawn = await calls.call(methods.allocate, { kind: "replica", count: 1 });
			const renewed = { ...identity, replicasFrom: drawn as number };
			await writeIdentity(runtime.disk, { phase: "formed", ...renewed });
			return renewed;
		} catch (error) {
			if ((error as { code?: string }).code !== "57P03") {
				throw error;
			}
			runtime.logger.log("info", "waiting for a majority of the founding nodes, to be renewed");
		}
	}
}

/** In the background, until the member of this node is a voter again (N2). */
export function renewMembership(
	options: { readonly runtime: Runtime; readonly identity: NodeIdentity },
	client: ConnectedPlacementClient,
): { isDone(): boolean; close(): void } {
	const { runtime, identity } = options;
	const { nodeId, replicasFrom } = identity;
	let timer: Timer | undefined;
	let isDone = replicasFrom === undefined;
	let isClosed = isDone;
	const ask = async (): Promise<void> => {
		try {
			const replica = placementReplica(nodeId, replicasFrom);
			const answer = await client.calls.call(methods.renewMember, replica);
			if (answer !== "wait") {
				isDone = true;
				isClosed = true;
				runtime.logger.log("info", "member of the placement group", { replica, answer });
			}
		} catch (error) {
			runtime.logger.log("debug", "not renewed yet", { error: String(error) });
		}
		if (!isClosed) {
			timer = runtime.scheduler.setTimer(retryMs, () => void ask());
		}
	};
	if (!isClosed) {
		void ask();
	}
	return {
		isDone: () => isDone,
		close: () => {
			isClosed = true;
			timer?.cancel();
		},
	};
}
