/** Metrics of one node, named by Prometheus' conventions. */
import { latencyBounds, type StatementHistogram } from "@quorate/sql/types/statement-report";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AdminOptions } from "./admin.ts";

export type MeasuredNode = Pick<
	AdminOptions,
	"nodeId" | "engine" | "host" | "store" | "gateway" | "server" | "sessions"
>;

/** `docs/metrics.md` says the same: a test compares the two. */
export function createMetrics(options: MeasuredNode): Registry {
	const registry = new Registry();
	registry.setDefaultLabels({ node: String(options.nodeId) });
	collectDefaultMetrics({ register: registry });
	const { engine, host, store, gateway, server, sessions } = options;
	const gauge = (name: string, help: string, value: () => number) => {
		new Gauge({
			name,
			help,
			registers: [registry],
			collect() {
				this.set(value());
			},
		});
	};
	const counter = (name: string, help: string, value: () => number) => {
		new Counter({
			name,
			help,
			registers: [registry],
			collect() {
				this.reset();
				this.inc(value());
			},
		});
	};
	new Counter({
		name: "quorate_range_split_decisions_total",
		help: "Splits of this node's ranges by reason, and how often one was considered and left.",
		labelNames: ["decision"],
		registers: [registry],
		collect() {
			this.reset();
			for (const [decision, count] of Object.entries(store.splitDecisions)) {
				this.inc({ decision }, count);
			}
		},
	});
	gauge("quorate_ranges", "Replicas on this node.", () => store.totals().replicas);
	gauge("quorate_leases", "Ranges that this node holds the lease of.", () => {
		return store.totals().leases;
	});
	gauge("quorate_intents", "Intents in the ranges of this node's leases.", () => {
		return store.totals().intents;
	});
	gauge("quorate_locks", "Locked keys at this node's leaseholders.", () => {
		return store.totals().locks;
	});
	gauge("quorate_engine_cache_bytes", "Blocks of the engine's files that are in memory.", () => {
		return engine.cacheUse().usedBytes;
	});
	gauge("quorate_engine_cache_size_bytes", "How large that may become: --cache of start.", () => {
		return engine.cacheUse().sizeBytes;
	});
	gauge("quorate_sql_connections", "Open client connections.", () => server.connectionCount);
	registry.registerMetric(new StatementDurations(() => sessions.statements(0).histograms));
	new Counter({
		name: "quorate_sql_statement_errors_total",
		help: "Statements that ended with an error.",
		labelNames: ["kind"],
		registers: [registry],
		collect() {
			this.reset();
			for (const { kind, failures } of sessions.statements(0).histograms) {
				this.inc({ kind }, failures);
			}
		},
	});
	gauge("quorate_resolves_waiting", "Resolves that wait for their turn.", () => {
		return gateway.resolver.waiting;
	});
	const { statistics } = gateway;
	counter(
		"quorate_commits_one_phase_total",
		"One-phase commits.",
		() => statistics.onePhaseCommits,
	);
	counter(
		"quorate_commits_two_phase_total",
		"Two-phase commits.",
		() => statistics.twoPhaseCommits,
	);
	counter("quorate_commits_read_only_total", "Transactions without writes.", () => {
		return statistics.readOnlyCommits;
	});
	counter(
		"quorate_statements_sent_total",
		"Statements that the leaseholder's node was asked to run.",
		() => statistics.sentElsewhere,
	);
	counter("quorate_aborts_total", "Transactions rolled back or failed.", () => statistics.aborts);
	counter("quorate_conflicts_total", "Commits refused with 40001.", () => statistics.conflicts);
	counter("quorate_raft_snapshots_sent_total", "Range snapshots sent.", () => {
		return host.statistics().snapshotsSent;
	});
	counter("quorate_raft_snapshots_received_total", "Range snapshots received.", () => {
		return host.statistics().snapshotsReceived;
	});
	counter("quorate_raft_leader_changes_total", "Raft leader changes seen.", () => {
		return host.statistics().leaderChanges;
	});
	counter("quorate_raft_entries_applied_total", "Raft entries applied.", () => {
		return host.statistics().entriesApplied;
	});
	gauge("quorate_raft_unapplied_bytes", "Raft entries that are committed and not applied.", () => {
		return host.statistics().unappliedBytes;
	});
	counter("quorate_raft_writes_delayed_total", "Large writes that waited for followers.", () => {
		return host.statistics().writesDelayed;
	});
	counter("quorate_resolves_left_total", "Resolves left to whoever meets the intents.", () => {
		return gateway.resolver.leftOver;
	});
	return registry;
}

const durations = "quorate_sql_statement_duration_seconds";
const durationsHelp = "How long statements took, from their message to the end of their answer.";

/** Counted where statements run, which has no time for labels. */
class StatementDurations extends Histogram<"kind"> {
	readonly #read: () => readonly StatementHistogram[];

	constructor(read: () => readonly StatementHistogram[]) {
		super({
			name: durations,
			help: durationsHelp,
			labelNames: ["kind"],
			registers: [],
			buckets: [...latencyBounds],
		});
		this.#read = read;
	}

	/** Also what `get` is made of. */
	async getForPromString() {
		const values = this.#read().flatMap(seriesOf);
		return { name: durations, help: durationsHelp, type: "histogram", aggregator: "sum", values };
	}
}

function seriesOf({ kind, counts, totalMs }: StatementHistogram) {
	let total = 0;
	const buckets = counts.map((count, i) => {
		total += count;
		const le = latencyBounds[i] ?? "+Inf";
		return {
			metricName: `${durations}_bucket`,
			labels: { le, kind },
			sharedLabels: {},
			value: total,
		};
	});
	return [
		...buckets,
		{ metricName: `${durations}_sum`, labels: { kind }, sharedLabels: {}, value: totalMs / 1000 },
		{ metricName: `${durations}_count`, labels: { kind }, sharedLabels: {}, value: total },
	];
}
