/**
 * Random walks of a cluster through loss, duplication, reordering, crashes, slow disks, compaction and changes of the
 * membership, while the five properties of figure 3 of the Raft paper, and the promise of read-index, are checked.
 */
import { assert } from "@quorate/keys/assert";
import { replicaId } from "@quorate/keys/ids";
import test from "ava";
import { members } from "./configuration.ts";
import {
	type AppliedEntry,
	Cluster,
	emptyConfiguration,
	entryText,
	type Node,
} from "./testing/cluster.ts";
import { seededRandom } from "./testing/random.ts";
import type { ConfigurationChange, LogIndex, Ready, Term } from "./types.ts";

const walks = Number(process.env["RAFT_WALKS"] ?? 500);
const firstSeed = Number(process.env["RAFT_SEED"] ?? 1);
const steps = 1500;

class Walk {
	readonly random: () => number;
	readonly cluster: Cluster;
	/** Leader of each term. */
	readonly leaders = new Map<Term, number>();
	/** What was applied at each index by whoever came first. */
	readonly applied = new Map<LogIndex, AppliedEntry>();
	/** End of the log of a leader as last seen. */
	readonly leaderEnds = new Map<number, { term: Term; lastIndex: LogIndex; lastTerm: Term }>();
	/** For each read under way, the highest index known to be committed when it was asked. */
	readonly reads = new Map<number, LogIndex>();
	readsDone = 0;
	proposals = 0;
	commitMax: LogIndex = 0;
	nextId: number;
	snapshots = 0;
	changes = 0;
	folds = 0;

	/** Share of packets that do not arrive, and of steps that are ticks: from calm to hardly ever a leader. */
	readonly loss: number;
	readonly ticks: number;
	/** Crashes, elections and changes of the membership come thick and fast. */
	readonly isStormy: boolean;
	readonly destroys: boolean;
	/** Nothing gets to or from it; 0 for none. */
	isolated = 0;
	/** Have applied their removal in this step. */
	readonly removed: number[] = [];

	constructor(seed: number) {
		this.random = seededRandom(seed);
		this.loss = this.random() < 0.5 ? 0.03 : 0.3 * this.random();
		this.ticks = 0.1 + 0.25 * this.random() * this.random();
		this.isStormy = this.random() < 0.5;
		this.destroys = this.random() < 0.7;
		this.cluster = new Cluster({
			random: this.random,
			electionTicks: this.isStormy ? 3 : 10,
			appendBytesMax: 100,
			inflightMax: 3,
			inflightBytesMax: this.random() < 0.5 ? 120 : 1 << 20,
			// Every entry counts at least 16.
			unappliedBytesMax: this.random() < 0.5 ? 50 * this.random() : 1 << 20,
			stopsApplying: () => this.random() < 0.3,
			onReady: (node, ready) => this.onReady(node, ready),
			onApplied: (node, entry) => this.onApplied(node, entry),
		});
		this.cluster.autoSync = false;
		this.cluster.birthIndex = this.below(2);
		const count = 1 + 2 * this.below(3);
		const voters = Array.from({ length: count }, (_, i) => replicaId(i + 1));
		for (const id of voters) this.cluster.add(id, { ...emptyConfiguration, voters });
		this.nextId = count + 1;
	}

	below(n: number): number {
		return Math.floor(this.random() * n);
	}

	pick<T>(items: readonly T[]): T {
		return items[this.below(items.length)]!;
	}

	onReady(node: Node, ready: Ready): void {
		const group = node.group!;
		this.commitMax = Math.max(this.commitMax, group.commit);
		for (const { requestId, index } of ready.reads) {
			assert(
				index >= this.reads.get(requestId)!,
				() => `read ${requestId} on ${node.id} at ${index} is stale: ${this.describe()}`,
			);
			this.readsDone++;
		}
		this.snapshots += ready.snapshotsWanted.length;
		this.checkLeader(node);
	}

	checkLeader(node: Node): void {
		const status = node.group!.status();
		if (status.role !== "leader") {
			this.leaderEnds.delete(node.id);
			return;
		}
		const known = this.leaders.get(status.term);
		assert(known === undefined || known === node.id, `election safety in term ${status.term}`);
		const log = node.group!;
		if (known === undefined) {
			this.leaders.set(status.term, node.id);
			for (const [index, entry] of this.applied) {
				if (index < status.firstIndex - 1) continue;
				assert(log.termOf(index) === entry.term, `leader completeness at ${index}`);
			}
		}
		const end = this.leaderEnds.get(node.id);
		if (end !== undefined && end.term === status.term && end.lastIndex >= status.firstIndex) {
			assert(log.termOf(end.lastIndex) === end.lastTerm, "leader append-only");
		}
		const { term, lastIndex } = status;
		this.leaderEnds.set(node.id, { term, lastIndex, lastTerm: log.termOf(lastIndex)! });
	}

	onApplied(node: Node, entry: AppliedEntry): void {
		if (!members(entry.configuration).includes(node.id)) this.removed.push(node.id);
		const first = this.applied.get(entry.index);
		if (first === undefined) this.applied.set(entry.index, entry);
		else {
			const same =
				first.term === entry.term &&
				first.text === entry.text &&
				JSON.stringify(first.configuration) === JSON.stringify(entry.configuration);
			assert(same, `state machine safety at ${entry.index}: ${first.text}, ${entry.text}`);
		}
	}

	/** Log matching: where two logs agree in a term, they agree in all before it. */
	checkLogs(): void {
		const groups = [...this.cluster.nodes.values()].flatMap((n) => n.group ?? []);
		for (let a = 0; a < groups.length; a++) {
			for (let b = a + 1; b < groups.length; b++) {
				const [x, y] = [groups[a]!, groups[b]!];
				let index = Math.min(x.status().lastIndex, y.status().lastIndex);
				const first = Math.max(x.status().firstIndex, y.status().firstIndex);
				while (index >= first && x.termOf(index) !== y.termOf(index)) index--;
				for (; index >= first; index--) {
					const [p, q] = [x.entry(index)!, y.entry(index)!];
					assert(p.term === q.term && entryText(p) === entryText(q), `log matching at ${index}`);
				}
			}
		}
	}

	step(): void {
		const { cluster } = this;
		const id = this.pick([...cluster.nodes.keys()]);
		const node = cluster.node(id);
		const roll = this.random();
		if (roll < this.ticks) for (let i = this.isStormy ? 3 : 1; i > 0; i--) cluster.tick(id);
		else if (roll < 0.45) this.network();
		else if (roll < 0.65) cluster.sync(id);
		else if (roll < 0.85) this.client();
		else if (roll < 0.9 && this.random() < (this.isStormy ? 0.7 : 0.3)) this.disturb(id, node);
		else if (roll < 0.93 && node.group === undefined) cluster.restart(id);
		else if (roll < 0.95) this.compact(node);
		else this.network();
		this.fold(id);
		for (const gone of this.removed.splice(0)) this.destroy(gone);
	}

	disturb(id: number, node: Node): void {
		const { cluster } = this;
		const other = replicaId(this.pick([...cluster.nodes.keys()]));
		switch (this.below(12)) {
			case 0:
			case 1:
				if (node.group === undefined) return;
				cluster.crash(
					id,
					node.stateDurable + this.below(node.state.length - node.stateDurable + 1),
				);
				return;
			case 2:
			case 3:
				this.changeMembers();
				return;
			case 4:
				for (const from of cluster.nodes.keys()) {
					cluster.act(from, (group) => group.transferLeadership(other));
				}
				return;
			case 5:
				cluster.act(id, (group) => group.campaign());
				return;
			case 6:
				// It may be wrong, or not, that the other one is gone.
				cluster.act(id, (group) => group.quiesce((member) => member === other));
				return;
			case 7:
				cluster.act(id, (group) => group.unreachable(other));
				return;
			case 8:
				cluster.act(id, (group) => group.leaderLost());
				return;
			case 9:
			case 10:
				this.isolateLeader();
				return;
			default:
				if (!cluster.slow.delete(id)) cluster.slow.add(id);
				cluster.act(id, () => undefined);
		}
	}

	/** Cuts the leader off for a while, so that somebody else has to lead. */
	isolateLeader(): void {
		if (this.isolated !== 0) {
			if (this.random() < 0.2) this.isolated = 0;
			return;
		}
		for (const [id, node] of this.cluster.nodes) {
			if (node.group?.role === "leader") this.isolated = id;
		}
	}

	/** A replica that has applied its removal is thrown away with all it has. */
	destroy(id: number): void {
		if (!this.destroys || !this.cluster.nodes.has(id)) return;
		this.cluster.crash(id);
		this.cluster.nodes.delete(id);
	}

	network(): void {
		for (let i = 0; i < 4; i++) {
			const { packets } = this.cluster;
			if (packets.length === 0) return;
			// Mostly in order, sometimes not.
			const at = this.random() < 0.7 ? 0 : this.below(packets.length);
			const packet = packets[at]!;
			const roll = this.random();
			if (roll >= 0.05) packets.splice(at, 1);
			const { from, to } = packet.kind === "message" ? packet.message : packet;
			const isCut = from === this.isolated || to === this.isolated;
			if (roll < 1 - this.loss && !isCut) this.cluster.deliver(packet);
			else if (packet.kind === "snapshot-data") this.cluster.failSnapshot(packet);
		}
	}

	client(): void {
		for (const [id, node] of this.cluster.nodes) {
			if (node.group?.role !== "leader") continue;
			const roll = this.random();
			if (roll < 0.7) {
				this.proposals++;
				this.cluster.propose(id, `p${this.proposals}`);
			} else {
				const requestId = this.reads.size + 1;
				this.reads.set(requestId, this.commitMax);
				this.cluster.act(id, (group) => group.readIndex(requestId));
			}
		}
	}

	compact(node: Node): void {
		const status = node.group?.status();
		if (status === undefined || status.applied < status.firstIndex) return;
		// The engine is synced first, and with it everything that was written to the log.
		while (this.cluster.sync(node.id)) {}
		const { applied, firstIndex } = node.group!.status();
		const isAll = this.random() < 0.5;
		const to = isAll ? applied : firstIndex + this.below(applied - firstIndex + 1);
		this.cluster.compact(node.id, to);
	}

	/** One that rests, and whose log is empty by now: of a calm cluster that is many. */
	fold(id: number): void {
		const group = this.cluster.nodes.get(id)?.group;
		if (group === undefined) return;
		if (!this.isStormy && this.random() < 0.1) {
			this.cluster.act(id, () => group.quiesce());
			const { applied, firstIndex } = group.status();
			if (group.isQuiesced && applied >= firstIndex && !this.cluster.slow.has(id)) {
				while (this.cluster.sync(id)) {}
				if (group.applied >= firstIndex) this.cluster.compact(id, group.applied);
			}
		}
		const wasFolded = group.isFolded;
		group.fold();
		if (!wasFolded && group.isFolded) this.folds++;
	}

	changeMembers(): void {
		for (const [id, node] of this.cluster.nodes) {
			if (node.group?.role !== "leader" || this.nextId > 12) continue;
			const { configuration } = node.group.status();
			const changes: { kind: "add-voter" | "add-learner" | "remove"; replica: never }[] = [];
			for (let i = this.below(3); i >= 0; i--) {
				const kind = this.pick(["add-voter", "add-learner", "remove"] as const);
				const known = this.pick(members(configuration));
				if (kind === "remove" || this.random() < 0.3)
					changes.push({ kind, replica: known as never });
				else {
					this.cluster.add(this.nextId, emptyConfiguration);
					changes.push({ kind, replica: this.nextId++ as never });
				}
			}
			const change: ConfigurationChange = { changes, context: new Uint8Array(0) };
			if (this.cluster.act(id, (group) => group.proposeConfiguration(change))) this.changes++;
		}
	}

	/** Everything is healed: somebody must lead, and all that a leader proposes must reach every member. */
	settle(): void {
		const { cluster } = this;
		cluster.slow.clear();
		for (const [id, node] of cluster.nodes) {
			if (node.group === undefined) cluster.restart(id);
			else cluster.act(id, () => undefined);
		}
		for (const [id] of cluster.nodes) cluster.act(id, (group) => group.wake());
		for (let round = 0; round < 400; round++) {
			this.settleRound();
			if (round === 200) for (const [id] of cluster.nodes) cluster.propose(id, "last");
		}
		const leader = [...cluster.nodes.values()].find((n) => n.state.at(-1)?.text === "last");
		assert(
			leader !== undefined,
			() => `the cluster makes progress once it is healed: ${this.describe()}`,
		);
		for (const id of members(leader.group!.status().configuration)) {
			const state = cluster.node(id).state;
			assert(state.at(-1)?.text === "last", () => `replica ${id} catches up: ${this.describe()}`);
			assert(state.length === leader.state.length, `replica ${id} applied everything`);
		}
	}

	describe(): string {
		return [...this.cluster.nodes.values()]
			.map((node) => `\n${node.id} ${JSON.stringify(node.group?.status())}`)
			.join("");
	}

	settleRound(): void {
		const { cluster } = this;
		for (const [id] of cluster.nodes) {
			cluster.tick(id);
			while (cluster.sync(id)) {}
		}
		for (let i = 0; i < 100 && cluster.packets.length > 0; i++) {
			for (const packet of cluster.packets.splice(0)) cluster.deliver(packet);
			for (const [id] of cluster.nodes) while (cluster.sync(id)) {}
		}
	}
}

test("random walks keep the five properties of Raft, and settle when healed", (t) => {
	const totals = {
		proposals: 0,
		applied: 0,
		leaders: 0,
		snapshots: 0,
		changes: 0,
		reads: 0,
		folds: 0,
	};
	for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
		const walk = new Walk(seed);
		try {
			for (let i = 0; i < steps; i++) {
				walk.step();
				if (i % 50 === 0) walk.checkLogs();
			}
			walk.settle();
			walk.checkLogs();
		} catch (error) {
			throw new Error(`seed ${seed}: ${(error as Error).stack}`);
		}
		totals.proposals += walk.proposals;
		totals.applied += walk.applied.size;
		totals.leaders += walk.leaders.size;
		totals.snapshots += walk.snapshots;
		totals.changes += walk.changes;
		totals.reads += walk.readsDone;
		totals.folds += walk.folds;
	}
	t.log(totals);
	// The walks must have been somewhere.
	t.true(totals.leaders > walks && totals.snapshots > walks / 4 && totals.changes > walks / 4);
	t.true(totals.applied > walks * 10 && totals.reads > walks && totals.folds > walks);
});
