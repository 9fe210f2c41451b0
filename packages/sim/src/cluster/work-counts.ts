/** What nodes did: a run in which something never happened has proved nothing about it. */
import type { RunningNode } from "@quorate/server/node";

export class WorkCounts {
	readonly counts: Record<WorkKind, number> = {
		onePhaseCommits: 0,
		twoPhaseCommits: 0,
		readOnlyCommits: 0,
		leaderChanges: 0,
		snapshotsReceived: 0,
		splitsBySize: 0,
		splitsByLoad: 0,
		mergesByHand: 0,
		mergesBySize: 0,
		mergesRefused: 0,
		replicasSubsumed: 0,
	};

	add({ counts }: WorkCounts): void {
		for (const kind of workKinds) this.counts[kind] += counts[kind];
	}

	/** Of one boot, as it stands or at its end. */
	addBoot({ gateway, host, store }: RunningNode): void {
		const { onePhaseCommits, twoPhaseCommits, readOnlyCommits } = gateway.statistics;
		const { leaderChanges, snapshotsReceived } = host.statistics();
		this.counts.onePhaseCommits += onePhaseCommits;
		this.counts.twoPhaseCommits += twoPhaseCommits;
		this.counts.readOnlyCommits += readOnlyCommits;
		this.counts.splitsBySize += store.splitDecisions.size;
		this.counts.splitsByLoad += store.splitDecisions.load;
		const { hand, size, refused, subsumed } = store.merges;
		this.counts.mergesByHand += hand;
		this.counts.mergesBySize += size;
		this.counts.mergesRefused += refused;
		this.counts.replicasSubsumed += subsumed;
		this.counts.leaderChanges += leaderChanges;
		this.counts.snapshotsReceived += snapshotsReceived;
	}
}

export const workKinds = [
	"onePhaseCommits",
	"twoPhaseCommits",
	"readOnlyCommits",
	"leaderChanges",
	"snapshotsReceived",
	"splitsBySize",
	"splitsByLoad",
	"mergesByHand",
	"mergesBySize",
	"mergesRefused",
	"replicasSubsumed",
] as const;

export type WorkKind = (typeof workKinds)[number];
