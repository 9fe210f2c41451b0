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

/** Each way to give every member of `ids` one of `values`. */
function* assignments<T>(count: number, values: readonly T[]): Generator<readonly T[]> {
	for (let n = 0; n < values.length ** count; n++) {
		yield Array.from(
			{ length: count },
			(_, i) => values[Math.floor(n / values.length ** i) % values.length]!,
		);
	}
}

test("all configurations of four replicas, joint or not, with all that they can have reached or voted", (t) => {
	const four = ids.slice(0, 4);
	let cases = 0;
	for (const halves of assignments(4, ["none", "voters", "outgoing", "both", "learner"] as const)) {
		const those = (...of: string[]) => four.filter((_, i) => of.includes(halves[i]!));
		const voters = those("voters", "both");
		const outgoing = those("outgoing", "both");
		const learners = those("learner");
		const configuration = { voters, outgoing, learners, learnersNext: [] };
		for (const reached of assignments(4, [0, 1, 2])) {
			cases++;
			const at = (replica: ReplicaId): number => reached[replica - 1]!;
			const expected = [2, 1, 0].find((value) => isQuorum(configuration, (r) => at(r) >= value));
			if (quorumValue(configuration, at) !== (expected ?? 0)) t.fail(JSON.stringify(configuration));
			const vote = (replica: ReplicaId) => [false, undefined, true][at(replica)];
			const won = isQuorum(configuration, (r) => vote(r) === true);
			const open = isQuorum(configuration, (r) => vote(r) !== false);
			const result = won ? "won" : open ? "pending" : "lost";
			if (voteResult(configuration, vote) !== result) t.fail(JSON.stringify(configuration));
		}
	}
	t.is(cases, 5 ** 4 * 3 ** 4);
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
