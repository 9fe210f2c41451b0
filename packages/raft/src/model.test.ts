/**
 * Every interleaving of bounded cases, each with one of the bounds of `make model RAFT=1` lowered so that it takes seconds; and what a
 * protection is for: without it the exploration ends at a broken property.
 */
import test from "ava";
import { type Bounds, type Exploration, Explorer } from "./testing/model/explore.ts";

const three = { voters: 3, logs: [], isSymmetric: true, statesMax: 400_000 };
/** As in figure 8 (b) of the Raft paper: two have led, each has an entry at index 1 that nobody else has. */
const figure8 = {
	...three,
	isSymmetric: false,
	logs: [[1], [2], []],
	termMax: 4,
	proposals: 0,
	crashes: 0,
};

const explored = (bounds: Bounds): Exploration => new Explorer(bounds).run();

const cases: readonly (readonly [name: string, bounds: Bounds, statesMin: number])[] = [
	["two terms, two proposals", { ...three, termMax: 2, proposals: 2, crashes: 0 }, 150_000],
	["two terms, one crash", { ...three, termMax: 2, proposals: 0, crashes: 1 }, 40_000],
	[
		"one term, two proposals, one crash",
		{ ...three, termMax: 1, proposals: 2, crashes: 1 },
		25_000,
	],
	["figure 8, two more terms", figure8, 20_000],
];

for (const [name, bounds, statesMin] of cases) {
	test(`every interleaving of three replicas keeps the five properties: ${name}`, (t) => {
		const { states, localStates, broken } = explored(bounds);
		t.log(`${states} states of the cluster, ${localStates} of a replica`);
		t.is(broken, undefined);
		t.true(states >= statesMin);
	});
}

const seeded: readonly (readonly [keyof NonNullable<Bounds["mutations"]>, Bounds, RegExp])[] = [
	["withoutCommitTermCheck", figure8, /^leader completeness/],
	["withoutVoteMemory", { ...three, termMax: 1, proposals: 0, crashes: 0 }, /^election safety/],
	["withoutAppendMatch", figure8, /^log matching/],
	[
		"withoutLogComparison",
		{ ...three, termMax: 2, proposals: 0, crashes: 0 },
		/^leader completeness/,
	],
];

for (const [mutation, bounds, property] of seeded) {
	test(`the exploration finds the seeded bug ${mutation}`, (t) => {
		const { states, broken } = explored({ ...bounds, mutations: { [mutation]: true } });
		t.log(`after ${states} states: ${broken?.property}`);
		for (const step of broken?.steps ?? []) t.log(step);
		t.regex(broken?.property ?? "", property);
	});
}
