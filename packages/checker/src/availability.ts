/** How long nothing succeeded, and how long answers took, over time: plain data for tables and plots. */
export interface Timed {
	readonly status: "ok" | "fail" | "info";
	/** Both in one unit of time; infinite where no answer came. */
	readonly invoked: number;
	readonly completed: number;
}

export interface Bucket {
	readonly from: number;
	/** Answers that arrived in it, from `from` up to the next bucket. */
	readonly ok: number;
	readonly fail: number;
	/** Of operations that began in it, those whose end is not known. */
	readonly info: number;
	/** Of those that succeeded in it; undefined: none did. */
	readonly latency: Quantiles | undefined;
}

export interface Quantiles {
	readonly p50: number;
	readonly p95: number;
	readonly p99: number;
	readonly max: number;
}

export interface Window {
	readonly from: number;
	readonly to: number;
}

export interface Availability {
	readonly buckets: readonly Bucket[];
	/** Spans in which nothing succeeded, at least as long as asked for. */
	readonly unavailable: readonly Window[];
	/** The longest of all spans between successes, the edges of the run included; undefined: there was nothing. */
	readonly longestGap: Window | undefined;
	readonly latency: Quantiles | undefined;
}

export interface AvailabilityOptions {
	readonly bucketSize: number;
	/** Spans without success from this length on. */
	readonly gapMin: number;
	/** When the run began and ended, where that is not the first invocation and the last that is known. */
	readonly run?: Window;
}

export function availability(
	operations: readonly Timed[],
	{ bucketSize, gapMin, run = spanOf(operations) }: AvailabilityOptions,
): Availability {
	if (run === undefined) {
		return { buckets: [], unavailable: [], longestGap: undefined, latency: undefined };
	}
	const ok = operations.filter((o) => o.status === "ok");
	const ends = ok.map((o) => o.completed).sort((a, b) => a - b);
	const gaps: Window[] = [];
	let from = run.from;
	for (const to of [...ends, run.to]) {
		if (to > from) gaps.push({ from, to });
		from = Math.max(from, to);
	}
	let longestGap: Window | undefined;
	for (const gap of gaps) {
		if (longestGap === undefined || lengthOf(gap) > lengthOf(longestGap)) longestGap = gap;
	}
	return {
		buckets: bucketsOf(operations, run, bucketSize),
		unavailable: gaps.filter((gap) => lengthOf(gap) >= gapMin),
		longestGap,
		latency: quantiles(ok.map(latencyOf)),
	};
}

const lengthOf = ({ from, to }: Window): number => to - from;
const latencyOf = ({ invoked, completed }: Timed): number => completed - invoked;

function spanOf(operations: readonly Timed[]): Window | undefined {
	let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const { invoked, completed } of operations) {
		from = Math.min(from, invoked);
		to = Math.max(to, Number.isFinite(completed) ? completed : invoked);
	}
	return operations.length === 0 ? undefined : { from, to };
}

function bucketsOf(
	operations: readonly Timed[],
	run: Window,
	bucketSize: number,
): readonly Bucket[] {
	const count = Math.floor(lengthOf(run) / bucketSize) + 1;
	const buckets = Array.from({ length: count }, (_, i) => ({
		from: run.from + i * bucketSize,
		counts: { ok: 0, fail: 0, info: 0 },
		latencies: [] as number[],
	}));
	for (const o of operations) {
		const at = o.status === "info" ? o.invoked : o.completed;
		const bucket = buckets[Math.floor((at - run.from) / bucketSize)];
		// Outside of the run that was asked for.
		if (bucket === undefined) continue;
		bucket.counts[o.status]++;
		if (o.status === "ok") bucket.latencies.push(latencyOf(o));
	}
	return buckets.map(({ from, counts, latencies }) => ({
		from,
		...counts,
		latency: quantiles(latencies),
	}));
}

/** The least value that at least so many parts of all do not exceed. */
function quantiles(values: readonly number[]): Quantiles | undefined {
	if (values.length === 0) return undefined;
	const sorted = [...values].sort((a, b) => a - b);
	const at = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
	return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
