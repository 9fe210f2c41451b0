/** Aggregates of pairs (Y, X) of floats: covariance, correlation, the line of least squares. Youngs and Cramer's update. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "../types/datum.ts";
import type { AggregateFunction } from "../types/registry.ts";
import { signature } from "./definition.ts";

interface Sums {
	readonly n: number;
	readonly x: number;
	readonly y: number;
	readonly xx: number;
	readonly yy: number;
	readonly xy: number;
}

const nothing: Sums = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };

function added(before: Sums, newX: number, newY: number): Sums {
	const n = before.n + 1;
	const x = before.x + newX;
	const y = before.y + newY;
	if (before.n === 0) {
		// NaN where the first value is no number to go on with.
		const xx = Number.isFinite(newX) ? 0 : Number.NaN;
		const yy = Number.isFinite(newY) ? 0 : Number.NaN;
		return { n, x, y, xx, yy, xy: xx + yy };
	}
	const dx = newX * n - x;
	const dy = newY * n - y;
	const scale = 1 / (n * before.n);
	const sums = {
		n,
		x,
		y,
		xx: before.xx + dx * dx * scale,
		yy: before.yy + dy * dy * scale,
		xy: before.xy + dx * dy * scale,
	};
	const inputs = [before.x, before.y, newX, newY];
	const results = [sums.x, sums.y, sums.xx, sums.yy, sums.xy];
	if (results.some((sum) => !Number.isFinite(sum)) && inputs.every(Number.isFinite)) {
		throw new DatabaseError("22003", "value out of range: overflow");
	}
	return sums;
}

/** `finish` is not asked about fewer than `least` pairs: those give NULL. */
function overPairs(
	name: string,
	finish: (sums: Sums) => Datum,
	least = 1,
	result = "float8",
): AggregateFunction {
	const parsed = signature(`${name}(float8, float8) -> ${result}`);
	return {
		name: parsed.name,
		args: parsed.args,
		result: parsed.result,
		strict: true,
		create() {
			let sums = nothing;
			return {
				step([y, x]) {
					sums = added(sums, x as number, y as number);
				},
				result: () => (sums.n < least ? null : finish(sums)),
			};
		},
	};
}

export const regressionAggregates: readonly AggregateFunction[] = [
	overPairs("regr_count", ({ n }) => BigInt(n), 0, "int8"),
	overPairs("regr_sxx", ({ xx }) => xx),
	overPairs("regr_syy", ({ yy }) => yy),
	overPairs("regr_sxy", ({ xy }) => xy),
	overPairs("regr_avgx", ({ x, n }) => x / n),
	overPairs("regr_avgy", ({ y, n }) => y / n),
	overPairs("covar_pop", ({ xy, n }) => xy / n),
	overPairs("covar_samp", ({ xy, n }) => xy / (n - 1), 2),
	overPairs("corr", ({ xx, yy, xy }) => (xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy))),
	overPairs("regr_r2", ({ xx, yy, xy }) =>
		xx === 0 ? null : yy === 0 ? 1 : (xy * xy) / (xx * yy),
	),
	overPairs("regr_slope", ({ xx, xy }) => (xx === 0 ? null : xy / xx)),
	overPairs("regr_intercept", ({ n, x, y, xx, xy }) => (xx === 0 ? null : (y - (x * xy) / xx) / n)),
];
