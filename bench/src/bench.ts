/** Which comparisons are made, in which order, and which of them have a bar. */
import { type Contender, compare } from "./comparison.ts";
import type { PgbenchRun, Placement, QueryMode, Workload } from "./pgbench.ts";
import type { QuorateTarget } from "./quorate-cluster.ts";
import type { Report } from "./report.ts";
import { measureStall } from "./stall.ts";
import { prepareSysbench, runSysbench, sysbenchMissing } from "./sysbench.ts";
import type { Target } from "./target.ts";
import {
	hotBlock,
	hotStatement,
	indexScan,
	join,
	loadHotRow,
	loadItems,
	pointSelect,
	tpcB,
} from "./workloads.ts";

export interface BenchOptions {
	readonly report: Report;
	/** What is compared with: single ports. */
	readonly peers: readonly Target[];
	readonly cluster: QuorateTarget | undefined;
	readonly scale: number;
	readonly seconds: number;
	readonly rounds: number;
	/** Parts to run; all where it is empty. */
	readonly only: ReadonlySet<string>;
	readonly without: ReadonlySet<string>;
}

/** By workload, placement and whether the accounts are split: the ratio to reach, and of whom. */
interface Bars {
	readonly of: string;
	readonly unsplit: Readonly<Record<Placement, number>>;
	readonly split: Readonly<Record<Placement, number>>;
}

const tpcBBars: Bars = {
	of: "pg+2",
	unsplit: { one: 0.35, spread: 0.35 },
	split: { one: 0.2, spread: 0.2 },
};
const selectBars: Bars = {
	of: "pg",
	unsplit: { one: 0.5, spread: 0.3 },
	// Split, no node is the leaseholder of all.
	split: { one: 0.3, spread: 0.3 },
};
/** Single statements, and blocks of one: where all update one row. */
const hotBars = (ratio: number): Bars => ({
	of: "pg",
	unsplit: { one: ratio, spread: ratio },
	split: { one: ratio, spread: ratio },
});
const hotClients = 64;
const barClients = 16;
const rangesSplit = 6;
const mebibyte = 1024 * 1024;
const freshMiB = 100;
const loadedMiB = 150;

export class Bench {
	readonly #options: BenchOptions;

	constructor(options: BenchOptions) {
		this.#options = options;
	}

	async memoryFresh(): Promise<void> {
		if (this.#wants("memory")) {
			// What starting has left behind is given back in an interval of ten seconds in which the node was idle.
			await sleep(30_000);
			this.#memory("fresh", freshMiB);
		}
	}

	/** All that needs pgbench's tables. */
	async run(): Promise<void> {
		const { cluster } = this.#options;
		if (this.#wants("memory") && cluster !== undefined) {
			await sleep(60_000);
			this.#memory("one minute after loading", loadedMiB);
		}
		await cluster?.findLeaseholder();
		this.#options.report.heading("== Unsplit: all tables in one range");
		await this.#pgbenchPart("unsplit");
		await this.#clientCounts();
		await this.#hotRow();
		await this.#sysbench();
		await this.#scans();
		await this.#stall();
		if (!this.#options.without.has("split") && (this.#wants("tpcb") || this.#wants("select"))) {
			this.#options.report.heading(
				`== Split: accounts in ${rangesSplit} ranges, leases on all nodes`,
			);
			await cluster?.splitAccounts(this.#options.scale, rangesSplit);
			await cluster?.findLeaseholder();
			await this.#pgbenchPart("split");
		}
	}

	async #pgbenchPart(state: "unsplit" | "split"): Promise<void> {
		for (const mode of ["simple", "prepared"] as const) {
			if (this.#options.without.has(mode)) {
				continue;
			}
			if (this.#wants("tpcb")) {
				await this.#compare(tpcB, mode, barClients, this.#options.rounds, tpcBBars, state);
			}
			if (this.#wants("select")) {
				await this.#compare(pointSelect, mode, barClients, this.#options.rounds, selectBars, state);
			}
		}
	}

	async #clientCounts(): Promise<void> {
		if (!this.#wants("clients")) {
			return;
		}
		for (const clients of [1, 64]) {
			await this.#compare(tpcB, "prepared", clients, 1);
			await this.#compare(pointSelect, "prepared", clients, 1);
		}
	}

	async #hotRow(): Promise<void> {
		if (!this.#wants("hot")) {
			return;
		}
		for (const target of this.#targets()) {
			await loadHotRow(target);
		}
		for (const mode of ["simple", "prepared"] as const) {
			if (!this.#options.without.has(mode)) {
				const { rounds } = this.#options;
				await this.#compare(hotStatement, mode, hotClients, rounds, hotBars(1));
				await this.#compare(hotBlock, mode, hotClients, rounds, hotBars(0.5));
			}
		}
	}

	async #scans(): Promise<void> {
		if (!this.#wants("scan")) {
			return;
		}
		for (const target of this.#targets()) {
			await loadItems(target);
		}
		await this.#compare(indexScan, "prepared", barClients, 1);
		await this.#compare(join, "prepared", barClients, 1);
	}

	async #sysbench(): Promise<void> {
		const { report, seconds } = this.#options;
		if (!this.#wants("sysbench")) {
			return;
		}
		report.heading(`sysbench oltp_read_write, ${barClients} clients`);
		if (sysbenchMissing()) {
			report.remark("skipped: sysbench is not installed");
			return;
		}
		for (const target of this.#targets()) {
			await prepareSysbench(target);
			const { tps, p95Ms } = await runSysbench(target, barClients, seconds);
			report.remark(`${target.name}: ${tps.toFixed(0)} tps, p95 ${p95Ms.toFixed(1)} ms`);
		}
	}

	async #stall(): Promise<void> {
		const { report } = this.#options;
		if (!this.#wants("stall")) {
			return;
		}
		report.heading("One INSERT of 1 MB beside a session that asks for one row");
		for (const target of this.#targets()) {
			const { insertMs, quietMs, stalledMs } = await measureStall(target);
			report.remark(
				`${target.name}: slowest answer ${stalledMs.toFixed(1)} ms (${quietMs.toFixed(1)} before), INSERT ${insertMs.toFixed(0)} ms`,
			);
		}
	}

	async #compare(
		workload: Workload,
		mode: QueryMode,
		clients: number,
		rounds: number,
		bars?: Bars,
		state: "unsplit" | "split" = "unsplit",
	): Promise<void> {
		const { peers, cluster, seconds, report } = this.#options;
		const run = (placement: Placement): PgbenchRun => ({
			workload,
			mode,
			clients,
			placement,
			seconds,
		});
		const contenders: Contender[] = peers.map((target) => ({ target, run: run("one") }));
		if (cluster !== undefined) {
			for (const placement of ["one", "spread"] as const) {
				const bar = bars && { of: bars.of, ratio: bars[state][placement] };
				contenders.push({ target: cluster, run: run(placement), bar });
			}
		}
		report.comparison(await compare(contenders, rounds));
	}

	#memory(when: string, boundMiB: number): void {
		const { cluster, report } = this.#options;
		if (cluster === undefined) {
			return;
		}
		report.heading(`Resident memory of a node, ${when}`);
		for (const [index, bytes] of cluster.memoryBytes().entries()) {
			report.bound(`node ${index + 1}`, bytes / mebibyte, boundMiB, "MiB");
		}
	}

	#targets(): readonly Target[] {
		const { peers, cluster } = this.#options;
		return cluster === undefined ? peers : [...peers, cluster];
	}

	#wants(part: string): boolean {
		return this.#options.only.size === 0 || this.#options.only.has(part);
	}
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
