/** What the scheduler decides is done by the ranges themselves: the leaseholders are asked for it. */
import type { PlacementRules } from "@quorate/keys/placement-rule";
import type { MergeRules } from "@quorate/placement/scheduler/merges";
import type { MoveExecutor } from "@quorate/placement/scheduler/scheduler";
import type { GatewayCoordinator } from "@quorate/txn/coordinator";
import type { RangeRouter } from "@quorate/txn/router";

const statusMs = 3_000;

export const moveExecutor = (
	router: RangeRouter,
	coordinator: GatewayCoordinator,
	rules: () => PlacementRules | undefined,
	mergeRules: () => MergeRules,
): MoveExecutor => ({
	relocate: async (start, nodes) => {
		const status = { kind: "status" } as const;
		const answer = await router
			.request(start, status, { idempotent: true, totalMs: statusMs })
			.catch(() => undefined);
		await coordinator.relocate(start, nodes);
		return answer?.kind === "status" ? answer.sizeBytes : null;
	},
	moveLease: (start, to) => coordinator.moveLease(start, to),
	splitAt: (keys) => coordinator.splitAt(keys),
	rules,
	wake: (start) =>
		router.request(start, { kind: "status" }, { idempotent: true, totalMs: statusMs }).then(
			() => {},
			() => {},
		),
	merge: (at, nodes) => coordinator.mergeOn(at, nodes),
	mergeRules,
});
