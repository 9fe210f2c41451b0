/** Protections that are taken out must turn a check red: here some that few seeds show; `make sim-mutants` looks for all. */
import test from "ava";
import { hunt, mutants } from "./mutants.ts";

const seedsMax = 12;
const chosen = [
	"withoutValidation",
	"withoutDistantValidation",
	"withoutSync",
	"withoutLeaseExpiry",
	"withoutOracleRound",
];

for (const mutant of mutants.filter((m) => chosen.includes(m.mutation))) {
	test.serial(mutant.what, async (t) => {
		const { seeds, found } = await hunt(mutant, seedsMax);
		t.log(`seed ${seeds}: ${found}`);
		t.not(found, undefined);
	});
}
