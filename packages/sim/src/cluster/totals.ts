/** What happened in several runs together. */
import type { CrashKind } from "../runtime/machine.ts";
import type { RunReport } from "./run.ts";
import { type WorkKind, workKinds } from "./work-counts.ts";

/** Needs a crash within some milliseconds, and a log that is cut before the node is back: a test of the store does it on purpose. */
const isRare = (kind: WorkKind): boolean => kind === "replicasSubsumed";

/** What enough runs must have done, each at least once: what never happened was not tested. */
const expectedWork = [
	"transactions",
	"lists",
	"registers",
	"transfers",
	"totals",
	...workKinds.filter((kind) => !isRare(kind)),
	"splits",
	"valuesJudged",
	"replicasCompared",
];
const expectedFaults = [
	"crash-process",
	"crash-power",
	"crash-at-disk",
	"crash-of-all",
	"graceful-restart",
	"pause",
	"partition",
	"one-way-partition",
	"partly-reachable",
	"bad-network",
	"slow-link",
	"loss",
	"reset",
	"one-sided-reset",
	"late-after-reconnect",
	"duplicated",
	"reordered",
	"clock-rate",
	"wall-jump",
	"slow-and-cut-off",
	"acknowledgements-lost",
	"slow-sync",
	"EIO-write",
	"EIO-sync",
	"EIO-read",
	"ENOSPC-sync",
	"EIO-engine-sync",
	"ENOSPC",
	"fail-stop",
	"lost-write",
	"torn-write",
	"lost-engine-batches",
	"bit-flip",
	"damage-refused",
	"disk-erased",
	"replacement",
	"lease-move",
	"split-asked",
	"relocation",
	"learner-partition",
	"merge-asked",
	"strike-at-merge",
	"forgetful-election",
];

export class Totals {
	readonly work = new Map<string, number>();
	readonly faults = new Map<string, number>();
	readonly #bereavedMs: Record<CrashKind, number[]> = { process: [], power: [] };
	#runs = 0;
	#virtualMs = 0;

	add({ work, counts, bereavedMs, virtualMs }: RunReport): void {
		this.#runs++;
		this.#virtualMs += virtualMs;
		for (const kind of crashKinds) this.#bereavedMs[kind].push(...bereavedMs[kind]);
		for (const [kind, n] of Object.entries(work)) sum(this.work, kind, n);
		for (const [kind, n] of counts) sum(this.faults, kind, n);
	}

	/** What never happened. */
	missing(): string[] {
		const never = (kinds: readonly string[], counts: ReadonlyMap<string, number>): string[] =>
			kinds.filter((kind) => (counts.get(kind) ?? 0) === 0);
		return [...never(expectedWork, this.work), ...never(expectedFaults, this.faults)];
	}

	describe(): string {
		const list = (map: ReadonlyMap<string, number>): string =>
			[...map].map(([what, n]) => `${what} ${n}`).join(", ");
		return (
			`${this.#runs} runs, ${(this.#virtualMs / 1000).toFixed(0)} virtual s\n` +
			`done: ${list(this.work)}\nfaults: ${list(this.faults)}` +
			crashKinds.map((kind) => inTheWay(kind, this.#bereavedMs[kind])).join("")
		);
	}
}

const crashKinds = ["process", "power"] as const;

/** For how long the dead were. */
function inTheWay(kind: CrashKind, times: readonly number[]): string {
	if (times.length === 0) return "";
	const sorted = [...times].sort((a, b) => a - b);
	const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0);
	return `\n${times.length} dead (${kind}) were in the way for ${at(0.5)} ms, a tenth for ${at(0.9)} or more, ${at(1)} at most`;
}

const sum = (map: Map<string, number>, kind: string, n: number): void => {
	map.set(kind, (map.get(kind) ?? 0) + n);
};
