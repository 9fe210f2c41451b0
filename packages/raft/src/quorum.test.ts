import { type ReplicaId, replicaId } from "@quorate/keys/ids";
import test from "ava";
import fc from "fast-check";
import { changedConfiguration, isJoint, members } from "./configuration.ts";
import { quorumValue, voteResult } from "./quorum.ts";
import type { Configuration } from "./types.ts";

const ids = Array.from({ length: 7 }, (_, i) => replicaId(i + 1));
const someIds = fc.subarray(ids);
const configurations: fc.Arbitrary<Configuration> = fc
	.record({ voters: someIds, outgoing: someIds })
	.map((c) => ({ ...c, learners: [], learnersNext: [] }));

/** By definition: a set is a quorum if it holds more than half of each half that has members. */
function isQuorum(configuration: Configuration, has: (replica: ReplicaId) => boolean): boolean {
	const halves = [configuration.voters, configuration.outgoing].filter((h) => h.length > 0);
	return halves.length > 0 && halves.every((h) => 2 * h.filter(has).length > h.length);
}

test("the quorum's value is the highest that a quorum has reached", (t) => {
	const values = fc.array(fc.nat(6), { minLength: 7, maxLength: 7 });
	fc.assert(
		fc.property(configurations, values, (configuration, reached) => {
			const at = (replica: ReplicaId): number => reached[replica - 1]!;
			let expected = 0;
			for (let value = 1; value <= 6; value++) {
				if (isQuorum(configuration, (replica) => at(replica) >= value)) expected = value;
			}
			t.is(quorumValue(configuration, at), expected);
		}),
		{ numRuns: 2_000 },
	);
});

test("a vote is won with a quorum of grants, lost when none is possible any more", (t) => {
	const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 7, maxLength: 7 });
	fc.assert(
		fc.property(configurations, votes, (configuration, given) => {
			const of = (replica: ReplicaId): boolean | undefined => given[replica - 1];
			const won = isQuorum(configuration, (replica) => of(replica) === true);
			const open = isQuorum(configuration, (replica) => of(replica) !== false);
			t.is(voteResult(configuration, of), won ? "won" : open ? "pending" : "lost");
		}),
		{ numRuns: 2_000 },
	);
});

const changes = fc.array(
	fc.record({
		kind: fc.constantFrom("add-voter" as const, "add-learner" as const, "remove" as const),
		replica: fc.constantFrom(...ids),
	}),
	{ minLength: 1, maxLength: 4 },
);
const context = new Uint8Array(0);

/** Whether every quorum of `a` meets every quorum of `b`: no set is a quorum of one while its complement is one of the other. */
function quorumsOverlap(a: Configuration, b: Configuration): boolean {
	for (let set = 0; set < 1 << ids.length; set++) {
		const has = (replica: ReplicaId): boolean => ((set >> (replica - 1)) & 1) === 1;
		if (isQuorum(a, has) && isQuorum(b, (replica) => !has(replica))) return false;
	}
	return true;
}

test("quorums before and after each step of a change overlap, and nobody has two roles", (t) => {
	const start = fc.tuple(fc.subarray(ids, { minLength: 1 }), someIds);
	fc.assert(
		fc.property(start, changes, ([voters, others], list) => {
			const learners = others.filter((id) => !voters.includes(id));
			const before = { voters, outgoing: [], learners, learnersNext: [] };
			const entered = changedConfiguration(before, { changes: list, context });
			if ("refused" in entered) return;
			t.true(quorumsOverlap(before, entered));
			const left = isJoint(entered)
				? changedConfiguration(entered, { changes: [], leave: true, context })
				: entered;
			if ("refused" in left) {
				t.fail(left.refused);
				return;
			}
			t.true(quorumsOverlap(entered, left));
			t.is(members(left).length, left.voters.length + left.learners.length);
			t.false(entered.learners.some((id) => entered.outgoing.includes(id)));
		}),
		{ numRuns: 300 },
	);
});
