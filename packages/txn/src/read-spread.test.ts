import type { NodeId } from "@quorate/keys/ids";
import test from "ava";
import { judgedReads, ReadSpread } from "./read-spread.ts";

/** What is said of the last of so many reads, which go to these nodes in turn. */
function said(spread: ReadSpread, nodes: readonly number[], reads: number): boolean {
	let last = false;
	for (let n = 0; n < reads; n++) last = spread.noted(nodes[n % nodes.length] as NodeId);
	return last;
}

test("reads are spread where no node leads two thirds of them, as of the last judgement", (t) => {
	const spread = new ReadSpread();
	t.false(said(spread, [1, 2, 3], judgedReads - 1));
	t.true(said(spread, [1], 1));
	t.true(said(spread, [2], judgedReads - 1));
	t.false(said(spread, [2], 1));
	t.true(said(spread, [1, 2], judgedReads));
	t.false(said(spread, [1, 1, 1, 2], judgedReads));
});
