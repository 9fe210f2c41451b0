/** Advisory locks over the in-process coordinator: one node, which never falls silent. */
import { bootId, nodeId } from "@quorate/keys/ids";
import type { Runtime } from "@quorate/runtime/runtime";
import { AdvisoryLocks } from "@quorate/txn/advisory-locks";
import type { MemoryCoordinator } from "./memory-coordinator.ts";

export const memoryAdvisory = (runtime: Runtime, coordinator: MemoryCoordinator): AdvisoryLocks =>
	new AdvisoryLocks({
		runtime,
		nodeId: nodeId(1),
		bootId: bootId("memory"),
		placement: coordinator,
		coordinator,
		rpc: undefined,
	});
