/**
 * L1 and L2 over all replicas of a range: who looks at data for a timestamp holds a lease that covers it, and no later lease of
 * the range begins at or below a timestamp at which somebody looked under an earlier one.
 */
import type { RangeId } from "@quorate/keys/ids";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ReplicaCore } from "@quorate/replica/core";
import type { AppliedCommand } from "@quorate/replica/observer";
import type { RangeState } from "@quorate/replica/range-state";

interface Leases {
	/** Of the latest lease that some replica has applied. */
	sequence: number;
	/** By sequence. */
	readonly starts: Map<number, Timestamp>;
	expiry: Timestamp;
	/** The highest timestamp that was looked at, under any lease. */
	served: Timestamp;
}

const zero = 0 as Timestamp;

export class LeaseMonitor {
	readonly #ranges = new Map<RangeId, Leases>();
	readonly #problem: (what: string) => void;

	constructor(problem: (what: string) => void) {
		this.#problem = problem;
	}

	/** A command that no replica of the range has applied before. */
	applied(
		rangeId: RangeId,
		{ envelope: { command }, result }: AppliedCommand,
		{ state }: ReplicaCore,
	): void {
		const known = this.#of(rangeId);
		if (result.kind === "merged") this.#merged(known, result.right.descriptor.rangeId, state);
		if (result.kind === "split") this.#split(known, result.right.descriptor.rangeId);
		if (result.kind !== "done") return;
		if (command.kind === "extend" && command.expiry > known.expiry) known.expiry = command.expiry;
		if (command.kind === "lease") {
			if (command.start <= known.expiry) {
				this.#problem(
					`L2: a lease of range ${rangeId} starts at ${command.start}, the one before expires at ${known.expiry}`,
				);
			}
			this.#begins(rangeId, known, command.start, command.expiry);
		}
		if (command.kind === "freeze") {
			if (command.t < known.served) {
				this.#problem(`L2: range ${rangeId} is frozen at ${command.t}, ${known.served} was served`);
			}
			known.expiry = command.t;
		}
		if (command.kind === "transfer") {
			this.#begins(rangeId, known, (command.t + 1) as Timestamp, command.expiry);
		}
	}

	looks(r: ReplicaCore, s: Timestamp): void {
		const { lease, descriptor } = r.state;
		const known = this.#of(descriptor.rangeId);
		if (s > lease.expiry || !r.holding()) {
			this.#problem(
				`L1: node ${r.context.nodeId} serves range ${descriptor.rangeId} at ${s}, its lease expires at ${lease.expiry}`,
			);
		}
		const next = known.starts.get(lease.sequence + 1);
		if (next !== undefined && s >= next) {
			this.#problem(
				`L1: node ${r.context.nodeId} serves range ${descriptor.rangeId} at ${s}, a later lease starts at ${next}`,
			);
		}
		if (s > known.served) known.served = s;
	}

	#begins(rangeId: RangeId, known: Leases, start: Timestamp, expiry: Timestamp): void {
		if (start <= known.served) {
			this.#problem(
				`L2: a lease of range ${rangeId} starts at ${start}, under an earlier one ${known.served} was served`,
			);
		}
		known.sequence++;
		known.starts.set(known.sequence, start);
		known.expiry = expiry;
	}

	/** The right side inherits. */
	#split(left: Leases, right: RangeId): void {
		this.#ranges.set(right, { ...left, starts: new Map(left.starts) });
	}

	/** M3. */
	#merged(left: Leases, right: RangeId, { lease, descriptor }: RangeState): void {
		const { served, expiry } = this.#of(right);
		if (lease.expiry < served) {
			this.#problem(
				`M3: the lease of range ${descriptor.rangeId} expires at ${lease.expiry}; in range ${right}, which it takes over, ${served} was served`,
			);
		}
		left.served = left.served > served ? left.served : served;
		left.expiry = left.expiry > expiry ? left.expiry : expiry;
	}

	#of(rangeId: RangeId): Leases {
		let known = this.#ranges.get(rangeId);
		if (known === undefined) {
			known = { sequence: 0, starts: new Map(), expiry: zero, served: zero };
			this.#ranges.set(rangeId, known);
		}
		return known;
	}
}
