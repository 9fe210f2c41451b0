/** Metrics of one node, named by Prometheus' conventions. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { AdminOptions } from "./admin.ts";

export function createMetrics(options: AdminOptions): Registry {
	const registry = new Registry();
	registry.setDefaultLabels({ node: String(options.nodeId) });
	collectDefaultMetrics({ register: registry });
	const { host, store, gateway, server } = options;
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
	gauge("quorate_ranges", "Replicas on this node.", () => store.statuses().length);
	gauge("quorate_leases", "Ranges that this node holds the lease of.", () => {
		return store.statuses().filter((r) => r.leaseholder).length;
	});
	gauge("quorate_intents", "Intents in the ranges of this node's leases.", () => {
		return sum(store.statuses().map((r) => (r.leaseholder ? r.intents : 0)));
	});
	gauge("quorate_locks", "Locked keys at this node's leaseholders.", () => {
		return sum(store.statuses().map((r) => r.locks));
	});
	gauge("quorate_sql_connections", "Open client connections.", () => server.connectionCount);
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

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
