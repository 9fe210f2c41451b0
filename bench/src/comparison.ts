/**
 * One line of the result: the same run on several targets, in turn, round after round, since the machine is not equally
 * fast all the time. The rate is the median of the rounds; latencies are those of all rounds together.
 */
import { withDiskProbe } from "./disk-probe.ts";
import { type PgbenchRun, runPgbench, type Sample } from "./pgbench.ts";
import type { Target } from "./target.ts";

/** At least `ratio` of the rate of the target named `of`. */
export interface Bar {
	readonly of: string;
	readonly ratio: number;
}

export interface Contender {
	readonly target: Target;
	readonly run: PgbenchRun;
	readonly bar?: Bar | undefined;
}

export interface Line {
	readonly contender: Contender;
	readonly tps: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly worstMs: number;
	/** One sync of the disk meanwhile, at worst; 0 where nobody looked. */
	readonly worstSyncMs: number;
	readonly failed: number;
	readonly retried: number;
}

/** A program that compiles while it runs needs thousands of transactions until it costs what it will cost. */
const warmSeconds = 10;

export async function compare(
	contenders: readonly Contender[],
	rounds: number,
): Promise<readonly Line[]> {
	const samples = contenders.map((): Sample[] => []);
	const worstSyncsMs = contenders.map(() => 0);
	// What compiles, plans and fills its caches when it is first used does so before it is measured, on all sides.
	for (const { target, run } of contenders) {
		await runPgbench(target, { ...run, seconds: warmSeconds });
	}
	for (let round = 0; round < rounds; round++) {
		for (const [index, { target, run }] of contenders.entries()) {
			const measured = () => runPgbench(target, run);
			const { result, longestMs } = run.workload.fairness
				? await withDiskProbe(measured)
				: { result: await measured(), longestMs: 0 };
			samples[index]!.push(result);
			worstSyncsMs[index] = Math.max(worstSyncsMs[index]!, longestMs);
		}
	}
	return contenders.map((contender, index) => ({
		...summarize(contender, samples[index]!),
		worstSyncMs: worstSyncsMs[index]!,
	}));
}

function summarize(contender: Contender, samples: readonly Sample[]): Omit<Line, "worstSyncMs"> {
	const latencies = samples.flatMap((sample) => [...sample.latenciesUs]).sort((a, b) => a - b);
	const tps = samples.map((sample) => sample.tps).sort((a, b) => a - b);
	return {
		contender,
		tps: quantile(tps, 0.5),
		p50Ms: quantile(latencies, 0.5) / 1000,
		p99Ms: quantile(latencies, 0.99) / 1000,
		worstMs: quantile(latencies, 1) / 1000,
		failed: samples.reduce((sum, sample) => sum + sample.failed, 0),
		retried: samples.reduce((sum, sample) => sum + sample.retried, 0),
	};
}

/** Of sorted values; between two values, their mean weighted by distance. 0 for none. */
export function quantile(sorted: readonly number[], q: number): number {
	const position = (sorted.length - 1) * q;
	const below = sorted[Math.floor(position)] ?? 0;
	const above = sorted[Math.ceil(position)] ?? below;
	return below + (above - below) * (position - Math.floor(position));
}
