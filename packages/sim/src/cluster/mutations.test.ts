/** Each protection that is taken out must turn the check of the histories red: otherwise the check proves nothing. */
import type { Mutations } from "@quorate/keys/mutations";
import test from "ava";
import { type RunOptions, simulate } from "./run.ts";

const seedsMax = 40;

/** The first seed whose history is not strictly serializable, and why; undefined: all are. */
async function firstRed(options: RunOptions): Promise<string | undefined> {
	for (let seed = 1; seed <= seedsMax; seed++) {
		const { anomalies } = await simulate(seed, { durationMs: 15_000, ...options });
		if (anomalies.length > 0) return `seed ${seed}: ${anomalies[0]}`;
	}
	return undefined;
}

async function mustTurnRed(
	mutations: Mutations,
	options: RunOptions,
): Promise<{ readonly red: string | undefined }> {
	return { red: await firstRed({ ...options, mutations }) };
}

test.serial("without validation at commit", async (t) => {
	const { red } = await mustTurnRed(
		{ withoutValidation: true },
		{ nodes: 3, faults: "none", durationMs: 4_000 },
	);
	t.log(red);
	t.not(red, undefined);
});

test.serial("without the oracle's quorum round (O1)", async (t) => {
	const options = { nodes: 3, faults: "outdatedLeaders" } as const;
	const { red } = await mustTurnRed({ withoutOracleRound: true }, options);
	t.log(red);
	t.not(red, undefined);
});

test.serial("without the lease's expiry (L1)", async (t) => {
	const options = { nodes: 5, faults: "outdatedLeaders" } as const;
	const { red } = await mustTurnRed({ withoutLeaseExpiry: true }, options);
	t.log(red);
	t.not(red, undefined);
});

test.serial("with all of them in place the same faults show nothing", async (t) => {
	for (const nodes of [3, 5]) {
		for (let seed = 1; seed <= 2; seed++) {
			const report = await simulate(seed, { nodes, faults: "outdatedLeaders", durationMs: 15_000 });
			t.deepEqual(report.problems, [], `seed ${seed}`);
		}
	}
});
