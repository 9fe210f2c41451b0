/**
 * What must hold over all nodes at each step, judged while the run goes on: L1, L2 (`leases.ts`), L4 (`pending.ts`), T1 to T5
 * (`transactions.ts`, `versions.ts`), and here
 *
 * - L3. Each index of a range's log is one entry, whoever applies it, and what is not rejected comes in the order of lease and number.
 * - Replicas of a range are equal, byte for byte, at each applied index at which two of them stand (`content-digest.ts`).
 *
 * T6 says that something goes on; that is for `liveness.ts`, and for everybody's patience.
 */
import type { RangeId } from "@quorate/keys/ids";
import { rangeSpan } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { LogIndex } from "@quorate/raft/types";
import type { ReplicaCore } from "@quorate/replica/core";
import type { CommittedEntry } from "@quorate/replica/host-types";
import type { AppliedCommand, ReplicaObserver } from "@quorate/replica/observer";
import type { ContentDigest } from "./content-digest.ts";
import { LeaseMonitor } from "./leases.ts";
import { PendingMonitor } from "./pending.ts";
import { TransactionMonitor } from "./transactions.ts";

/** What is known of a range's log. */
interface Log {
	/** The last index that somebody has applied. */
	last: LogIndex;
	/** By index. */
	readonly entries: Map<LogIndex, number>;
	readonly contents: Map<LogIndex, { readonly digest: number; readonly where: string }>;
	/** Of the last command that was not rejected. */
	sequence: number;
	number: number;
}

const problemsMax = 10;

export class Monitor {
	/** Contents of replicas that were compared with others. */
	compared = 0;
	readonly #logs = new Map<RangeId, Log>();
	readonly #leases: LeaseMonitor;
	readonly #pending: PendingMonitor;
	readonly #transactions: TransactionMonitor;
	#problems = 0;
	readonly #report: (what: string) => void;

	constructor(report: (what: string) => void) {
		this.#report = report;
		const problem = (what: string): void => this.#problem(what);
		this.#leases = new LeaseMonitor(problem);
		this.#pending = new PendingMonitor(problem);
		this.#transactions = new TransactionMonitor(problem);
	}

	/** Values that readers were told and that were compared with what is decided. */
	get valuesRead(): number {
		return this.#transactions.versions.compared;
	}

	/** For one boot of a node. */
	observer(where: string, digest: () => ContentDigest): ReplicaObserver {
		const { versions } = this.#transactions;
		return {
			applied: (r, entries, commands) => {
				this.#pending.applied(r, commands);
				this.#applied(r, entries, commands);
				this.#compare(r, where, digest().of(r.state));
			},
			looks: (r, s) => {
				this.#pending.look(r);
				this.#leases.looks(r, s);
				versions.isIssued(s);
			},
			read: (q, values) => {
				const own = q.transaction ?? null;
				for (const [i, k] of q.keys.entries()) {
					if (own !== null && this.#transactions.intentOf(own, k)) continue;
					versions.read(k, q.s, values[i]!);
				}
			},
			scanned: (span, s, rows, own) => {
				versions.scanned(
					span,
					s,
					rows,
					own,
					(k) => own !== null && this.#transactions.intentOf(own, k),
				);
			},
			validated: (items, c, own) => versions.validated(items, c, own),
		};
	}

	/** A client was told that it has committed. */
	acknowledged(c: Timestamp): void {
		this.#transactions.acknowledged(c);
	}

	#applied(
		r: ReplicaCore,
		entries: readonly CommittedEntry[],
		commands: readonly AppliedCommand[],
	): void {
		const { descriptor } = r.state;
		const { rangeId } = descriptor;
		const log = this.#logOf(rangeId, entries[0]!.index - 1);
		const before = log.last;
		for (const entry of entries) {
			const hash = hashOf(entry);
			const known = log.entries.get(entry.index);
			if (known === undefined) log.entries.set(entry.index, hash);
			else if (known !== hash) {
				this.#problem(`range ${rangeId}: two entries at index ${entry.index}`);
			}
			log.last = Math.max(log.last, entry.index);
		}
		if (log.last === before) return;
		const span = rangeSpan(descriptor);
		for (const one of commands) {
			if (one.entry.index <= before) continue;
			this.#judged(rangeId, log, one);
			this.#leases.applied(rangeId, one, r);
			this.#transactions.applied(rangeId, one, span);
		}
		this.#transactions.spanIs(rangeId, span);
	}

	/** L3. */
	#judged(rangeId: RangeId, log: Log, { envelope, result }: AppliedCommand): void {
		const { command, sequence, number } = envelope;
		if (result.kind === "rejected") return;
		if (command.kind === "lease") {
			log.sequence = command.replaces + 1;
			log.number = 0;
			return;
		}
		if (command.kind === "thaw") return;
		if (sequence !== log.sequence || number <= log.number) {
			this.#problem(
				`L3: range ${rangeId} applies number ${number} of lease ${sequence} after number ${log.number} of lease ${log.sequence}`,
			);
		}
		log.number = command.kind === "transfer" ? 0 : number;
		if (command.kind === "transfer") log.sequence++;
		if (result.kind === "split") {
			const right = this.#logOf(result.right.descriptor.rangeId, result.right.appliedIndex);
			right.sequence = log.sequence;
			right.number = log.number;
		}
	}

	#compare(r: ReplicaCore, where: string, digest: number): void {
		const { appliedIndex, descriptor } = r.state;
		const { contents } = this.#logOf(descriptor.rangeId, appliedIndex);
		const other = contents.get(appliedIndex);
		if (other === undefined) {
			contents.set(appliedIndex, { digest, where });
			return;
		}
		this.compared++;
		if (other.digest === digest) return;
		this.#problem(
			`range ${descriptor.rangeId} at index ${appliedIndex}: the replicas on ${other.where} and ${where} differ`,
		);
	}

	#logOf(rangeId: RangeId, last: LogIndex): Log {
		let log = this.#logs.get(rangeId);
		if (log === undefined) {
			log = { last, entries: new Map(), contents: new Map(), sequence: 0, number: 0 };
			this.#logs.set(rangeId, log);
		}
		return log;
	}

	#problem(what: string): void {
		if (++this.#problems <= problemsMax) this.#report(what);
	}
}

function hashOf({ term, command, change }: CommittedEntry): number {
	let hash = term ^ (change === undefined ? 0 : 0x5bd1e995);
	if (command === undefined) return hash;
	for (let i = 0; i < command.length; i++) hash = Math.imul(hash ^ command[i]!, 0x01000193);
	return hash;
}
