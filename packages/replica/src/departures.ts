/**
 * Replicas that are no members of their ranges any more go, with their data. One that was down or cut off when it was removed
 * never hears of it from its group: when it has known no leader for a while it asks the range's leaseholder, who answers only
 * after an entry of its own has been committed by the members of now. So what it throws away is not needed to elect anyone.
 *
 * A member of then that was cut off knows nothing of it and still sends to the replica that was here. Were that made anew, it would
 * vote and acknowledge without its memory, and a quorum of the old members would lead the range beside the present one: its id is
 * retired before its log goes (`retired-ids.ts`).
 */
import { assert } from "@quorate/keys/assert";
import type { NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { key as asKey, type Key, spansOverlap } from "@quorate/keys/key";
import { isNewerEpoch, type RangeDescriptor, rangeSpan } from "@quorate/keys/range";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Engine } from "@quorate/storage/engine";
import { engineSpans, metaKey } from "@quorate/storage/engine-keys";
import { encodeRangeState } from "./range-state.ts";
import type { Replica } from "./replica.ts";
import { retire } from "./retired-ids.ts";

export interface DeparturesOptions {
	readonly runtime: Runtime;
	readonly engine: Engine;
	readonly nodeId: NodeId;
	/** The replicas of this node. One that goes stays among them until its data is gone, so that no other takes its place before. */
	readonly replicas: Map<RangeId, Replica>;
	/** Those of them that do not rest, and so perhaps have no leader. */
	readonly awake: Iterable<Replica>;
	/** It is not among them any more. */
	gone(replica: Replica): void;
	/** The node stops: what is left to be cleared is cleared at its next start. */
	isClosed(): boolean;
	/** The descriptor of the range that begins at a key, from its leaseholder; undefined where none answers. */
	members(start: Key): Promise<RangeDescriptor | undefined>;
}

/** Between two questions about suspects, each of which is a write for the range. */
const askAgainMs = 200;

export class Departures {
	readonly #options: DeparturesOptions;
	readonly #leaving = new Set<Replica>();
	/** Had no leader when last looked at. */
	#leaderless = new Set<Replica>();
	readonly #asking = new Set<Replica>();
	/** Monotonic milliseconds before which no more questions are asked about suspects. */
	#askAgainMs = 0;
	/** Where the ranges begin whose first snapshot is awaited: those replicas do not know it themselves. */
	readonly #awaited = new Map<ReplicaId, Key>();

	constructor(options: DeparturesOptions) {
		this.#options = options;
	}

	awaitsSnapshot(replica: ReplicaId, start: Key): void {
		this.#awaited.set(replica, start);
	}

	/** The replica's removal was applied here, or confirmed by its range. */
	remove(replica: Replica): void {
		if (this.#leaving.has(replica)) {
			return;
		}
		this.#leaving.add(replica);
		this.#awaited.delete(replica.replicaId);
		const { rangeId } = replica.state.descriptor;
		const span = rangeSpan(replica.state.descriptor);
		for (const other of this.#options.replicas.values()) {
			assert(
				other === replica || !spansOverlap(rangeSpan(other.state.descriptor), span),
				() => `${replica} leaves, and ${other} holds some of its keys`,
			);
		}
		this.#options.runtime.scheduler.defer(() => {
			void replica.group.remove(this.#record(replica)).then(() => {
				if (this.#options.isClosed()) return;
				// A snapshot of a range that it had become part of may have come meanwhile.
				const isTaken = [...this.#options.replicas.values()].some(
					(other) => other !== replica && other.overlaps(span),
				);
				clearRange(this.#options.engine, rangeId, isTaken ? nowhere : span);
				this.#options.replicas.delete(rangeId);
				this.#options.gone(replica);
				this.#leaving.delete(replica);
			});
		});
	}

	/**
	 * Makes durable that this node holds no member of the range any more, and never will under that id. If the log went first, a
	 * power failure could take the removal from the engine, and the replica would come back with its old members and without its
	 * votes.
	 */
	#record({ state, replicaId }: Replica): Promise<void> {
		const { engine, nodeId, runtime } = this.#options;
		const replicas = state.descriptor.replicas.filter((r) => r.nodeId !== nodeId);
		const departed = encodeRangeState({
			...state,
			descriptor: { ...state.descriptor, replicas },
		});
		const { rangeId } = state.descriptor;
		engine.write((batch) => {
			batch.put(metaKey(rangeId, "state"), departed);
			retire(batch, rangeId, replicaId);
		});
		return engine
			.sync()
			.catch((error: unknown) => runtime.fatal(`engine sync failed: ${String(error)}`));
	}

	/** Somebody has called for a later replica of its range on this node: it has probably been removed. */
	suspect(replica: Replica): void {
		const { clock } = this.#options.runtime;
		const nowMs = clock.monotonicMs();
		if (!this.#isLeftAlone(replica) && !this.#asking.has(replica) && nowMs >= this.#askAgainMs) {
			this.#askAgainMs = nowMs + askAgainMs;
			void this.#ask(replica);
		}
	}

	/** Every few seconds. */
	look(): void {
		const leaderless = new Set<Replica>();
		for (const replica of this.#options.awake) {
			const { leader, waitsToStand } = replica.group;
			if (!this.#isLeftAlone(replica) && leader === 0 && !waitsToStand) {
				leaderless.add(replica);
				if (this.#leaderless.has(replica) && !this.#asking.has(replica)) {
					void this.#ask(replica);
				}
			}
		}
		this.#leaderless = leaderless;
	}

	/** It has gone or goes already, or not now: a snapshot that comes in would be put in place after its range was cleared. */
	#isLeftAlone(replica: Replica): boolean {
		const isHere = this.#options.replicas.get(replica.state.descriptor.rangeId) === replica;
		return !isHere || this.#leaving.has(replica) || replica.isInstalling;
	}

	async #ask(replica: Replica): Promise<void> {
		this.#asking.add(replica);
		try {
			const { descriptor } = replica.state;
			const start =
				descriptor.start < descriptor.end ? descriptor.start : this.#awaited.get(replica.replicaId);
			const current = start === undefined ? undefined : await this.#options.members(start);
			if (start === undefined || current === undefined) {
				return;
			}
			if (current.rangeId !== descriptor.rangeId) {
				this.#merged(replica, start, current);
				return;
			}
			const isMember = current.replicas.some((r) => r.replicaId === replica.replicaId);
			const isNewer = isNewerEpoch(current.epoch, replica.state.descriptor.epoch);
			if (!isMember && isNewer && !this.#isLeftAlone(replica)) {
				replica.destroy();
				this.remove(replica);
			}
		} finally {
			this.#asking.delete(replica);
		}
	}

	/**
	 * Another range holds its first key now: it has become part of that one. A left side of the merge that is here and still has the
	 * version of before needs it, to apply the merge.
	 */
	#merged(replica: Replica, start: Key, current: RangeDescriptor): void {
		const { descriptor, frozen } = replica.state;
		const isLater = current.epoch.version > descriptor.epoch.version;
		const isWhole = current.start <= start && start < current.end;
		const left = frozen && this.#options.replicas.get(frozen.into);
		const isAwaited =
			left !== undefined && left.state.descriptor.epoch.version <= frozen!.intoVersion;
		if (isLater && isWhole && !isAwaited && !this.#isLeftAlone(replica)) {
			replica.destroy();
			this.remove(replica);
		}
	}
}

/** The state goes last: after a crash between, the rest is cleared at the start. */
export function clearRange(
	engine: Engine,
	rangeId: RangeId,
	span: { readonly start: Key; readonly end: Key },
): void {
	if (span.start < span.end) {
		for (const part of engineSpans(span)) {
			engine.clearSpan(part);
		}
	}
	engine.write((batch) => batch.delete(metaKey(rangeId, "state")));
}

export const nowhere = { start: asKey(""), end: asKey("") } as const;
