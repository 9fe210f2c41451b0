/**
 * What to move where: a pure function of what the placement group's leader knows. It is called again every second or so, with
 * what became of the moves before, and gives out a few at a time; the leader keeps no plan, so a new one goes on where the last
 * stopped.
 *
 * 1. Repair comes first: a replica on a node that is dead, drains or was removed goes to another; a range with too few replicas
 *    gets more, one with too many, or with a learner that nobody waits for any more, is tidied up.
 * 2. When nothing is left to repair, replicas of a range go as far from each other as localities let them (`spread.ts`), and are
 *    balanced then: within a tenth of the mean, and no further, and no range is spread worse for it (`balance.ts`); when their
 *    numbers are, their bytes (`bytes.ts`).
 * 3. Leases leave nodes that leave or stop, go where the range's rule wants them, and are balanced as well (`leases.ts`); when their
 *    numbers are, what they are asked for (`load.ts`).
 * 4. Nodes that are equal otherwise are told apart by rendezvous hashing of (range, node): the choice is stable.
 * 5. A node sends and receives a few copies at once. What must wait for that is not planned yet.
 * 6. What should be done and cannot is named with the reason.
 * 7. Of a range with a majority down nothing is asked: nothing could be changed.
 * 8. How many replicas a range has, and where, follows the rule for its first key (`view.rules`). Where the rules' borders divide a
 *    range it is split (`borders.ts`).
 *
 * Small and cold ranges are merged beside this (`merges.ts`).
 */
import { planBalance } from "./balance.ts";
import { planBytes } from "./bytes.ts";
import { planLeases } from "./leases.ts";
import { planLoad } from "./load.ts";
import { planRepair } from "./repairs.ts";
import { planSpread } from "./spread.ts";
import { Tally } from "./tally.ts";
import type { ClusterView, Obstacle, Plan } from "./view.ts";

export function planMoves(view: ClusterView): Plan {
	const tally = new Tally(view);
	const obstacles: Obstacle[] = [];
	let isRepairing = false;
	for (const range of view.ranges) {
		const isMoving = view.underWay.has(range.descriptor.rangeId);
		const state = isMoving ? "planned" : planRepair(view, tally, range);
		if (typeof state === "object") obstacles.push(state);
		else if (state === "waiting" || (state === "planned" && !isMoving)) isRepairing = true;
	}
	const isCrowded = !isRepairing && planSpread(view, tally);
	const mayBalance = !isRepairing && !isCrowded;
	const isUneven = mayBalance && (planBalance(view, tally) || planBytes(view, tally));
	const hasLeases = planLeases(view, tally, isUneven);
	const hasEvenedLoad = view.evensLoad === true && !hasLeases && planLoad(view, tally);
	const isQuiet = !hasEvenedLoad && view.underWay.size === 0;
	const isSettled = mayBalance && !isUneven && !hasLeases && isQuiet;
	return { moves: tally.moves, obstacles, hasEvenedLoad, isSettled };
}
