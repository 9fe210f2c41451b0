/** L4: a write that was proposed stops being pending only as the design says, on every replica. */
import type { ReplicaCore } from "@quorate/replica/core";
import type { AppliedCommand } from "@quorate/replica/observer";
import type { PendingGroup } from "@quorate/replica/pending-writes";

interface Seen {
	groups: readonly PendingGroup[];
	/** Lease sequence and number of what was rejected at apply. */
	readonly rejected: Set<string>;
}

const none: readonly PendingGroup[] = [];

export class PendingMonitor {
	/** By replica, one for each boot. */
	readonly #seen = new WeakMap<ReplicaCore, Seen>();
	readonly #problem: (what: string) => void;

	constructor(problem: (what: string) => void) {
		this.#problem = problem;
	}

	/** What was pending when the replica was last looked at still is, or may have ended. */
	look(r: ReplicaCore): void {
		const seen = this.#of(r);
		for (const group of seen.groups) {
			if (group.number > 0 && !isPending(r, group) && !mayHaveEnded(r, group, seen)) {
				this.#problem(
					`L4: a write of ${group.transaction}, proposed as ${group.number} of lease ${group.sequence}, is not pending any more`,
				);
			}
		}
		seen.groups = r.pending.groups === 0 ? none : [...r.pending.all()];
	}

	/** Before the pending writes that end with the commands are taken away. */
	applied(r: ReplicaCore, commands: readonly AppliedCommand[]): void {
		this.look(r);
		for (const { envelope, result } of commands) {
			if (result.kind === "rejected") {
				this.#of(r).rejected.add(`${envelope.sequence}/${envelope.number}`);
			}
		}
	}

	#of(r: ReplicaCore): Seen {
		let seen = this.#seen.get(r);
		if (seen === undefined) {
			seen = { groups: none, rejected: new Set() };
			this.#seen.set(r, seen);
		}
		return seen;
	}
}

function isPending(r: ReplicaCore, group: PendingGroup): boolean {
	const write = group.writes[0];
	return write !== undefined && r.pending.on(write.key).some((x) => x.group === group);
}

function mayHaveEnded(r: ReplicaCore, group: PendingGroup, { rejected }: Seen): boolean {
	const { lease, lastNumber } = r.state;
	return (
		group.writes.length === 0 ||
		lease.sequence > group.sequence ||
		(lease.sequence === group.sequence && lastNumber >= group.number) ||
		rejected.has(`${group.sequence}/${group.number}`)
	);
}
