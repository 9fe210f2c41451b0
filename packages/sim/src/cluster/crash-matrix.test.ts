/** One cell after the other; MATRIX=all runs each, else every point once. */
import test from "ava";
import {
	type CellReport,
	runCell,
	type Script,
	scripts,
	startCast,
	stepsOf,
} from "./crash-matrix.ts";
import type { CrashPoint, Step, Victim } from "./crash-points.ts";

const victims: readonly (readonly Victim[])[] = [
	["gateway"],
	["anchor"],
	["participant"],
	["gateway", "anchor"],
	["gateway", "participant"],
	["anchor", "participant"],
];
const isWhole = process.env["MATRIX"] === "all";

for (const [i, [name, script]] of (Object.entries(scripts) as [string, Script][]).entries()) {
	test.serial(`deaths while a transaction commits: ${name}`, async (t) => {
		const cast = await startCast(i + 1);
		const steps: readonly Step[] = await stepsOf(cast, script);
		t.log(steps.join(", "));
		const random = cast.cluster.world.random("cells");
		for (const [at, step] of steps.entries()) {
			for (const [s, side] of (["before", "after"] as const).entries()) {
				for (const [v, who] of victims.entries()) {
					if (!isWhole && v !== (2 * at + s + i) % victims.length) continue;
					const point: CrashPoint = {
						at,
						side,
						victims: who,
						kind: random.pick(["process", "power"] as const),
						delayMs: random.between(0.3, 4),
					};
					const cell = `${who.join("+")} ${point.kind} ${side} ${at} ${step}`;
					const { told, isThere, cleanMs, problems }: CellReport = await runCell(
						cast,
						script,
						point,
						cell,
					);
					t.log(cell, told, isThere, Math.round(cleanMs));
					t.deepEqual(problems, [], cell);
				}
			}
		}
	});
}
