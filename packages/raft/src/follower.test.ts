import { replicaId } from "@quorate/keys/ids";
import test from "ava";
import { RaftGroup } from "./group.ts";
import { emptyConfiguration } from "./testing/cluster.ts";
import type { Entry } from "./types.ts";

const [self, leader] = [replicaId(1), replicaId(2)];
const configuration = { ...emptyConfiguration, voters: [self, leader] };
const entry = (index: number, term: number): Entry => ({
	index,
	term,
	payload: { kind: "empty" },
});

function follower(terms: readonly number[]): RaftGroup {
	const options = { electionTicks: 10, heartbeatTicks: 2, random: () => 0 };
	const limits = {
		appendBytesMax: 1 << 20,
		inflightMax: 8,
		inflightBytesMax: 1 << 20,
		unappliedBytesMax: 1 << 20,
		backlogBytesMax: 1 << 20,
	};
	return new RaftGroup(
		self,
		{ ...options, ...limits },
		{
			hardState: { term: 5, vote: replicaId(0), commit: 0 },
			snapshot: { index: 0, term: 0, configuration },
			entries: terms.map((term, i) => entry(i + 1, term)),
			applied: 0,
			configuration,
		},
	);
}

const append = (previousIndex: number, previousTerm: number, entries: Entry[], commit: number) => ({
	kind: "append" as const,
	from: leader,
	to: self,
	term: 5,
	previousIndex,
	previousTerm,
	entries,
	commit,
});

test("what follows the last entry of an append may differ from the leader's: it is not committed by it", (t) => {
	const group = follower([1, 1, 1]);
	group.step(append(1, 1, [entry(2, 1)], 3));
	t.is(group.commit, 2);
	t.is(group.status().lastIndex, 3);
	group.step(append(2, 1, [entry(3, 2)], 3));
	t.is(group.commit, 3);
	t.is(group.termOf(3), 2);
});

test("a message for another replica, or a second leader of a term, is a broken invariant", (t) => {
	const group = follower([1]);
	t.throws(() => group.step({ ...append(1, 1, [], 0), to: leader }), { name: "InvariantError" });
	group.step(append(1, 1, [], 0));
	t.throws(() => group.step({ ...append(1, 1, [], 0), from: replicaId(3) }), {
		message: /election safety/,
	});
});

test("a leader that contradicts a committed entry is a broken invariant", (t) => {
	const group = follower([1, 1]);
	group.step(append(2, 1, [], 2));
	t.is(group.commit, 2);
	t.throws(
		() =>
			group.step({
				...append(2, 1, [], 2),
				kind: "heartbeat",
				commit: 7,
				context: 1,
				quiesce: false,
			}),
		{
			message: /acknowledged entries were lost/,
		},
	);
});
