/**
 * What the log holds of one Raft group, and which segments hold it. The same code applies a write when it is made and when it
 * is recovered, so the two cannot disagree.
 */
import { assert } from "@quorate/keys/assert";
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Entry, HardState, LogIndex, SnapshotMetadata } from "@quorate/raft/types";
import type { RecoveredGroup, WalWrite } from "./types.ts";

/** Counts, by segment, how many things in it are still needed. */
export interface SegmentPins {
	pin(segment: number, delta: 1 | -1): void;
}

/** The entries up to `lastIndex`, from the end of the extent before, lie in `segment`. */
interface Extent {
	readonly segment: number;
	lastIndex: LogIndex;
}

/** Bytes that an entry takes in the log, about. */
function entryBytes(entry: Entry): number {
	const payload = entry.payload;
	return (
		8 +
		(payload.kind === "command"
			? payload.data.length
			: payload.kind === "configuration"
				? payload.change.context.length + 16
				: 0)
	);
}

const noEntries = Object.freeze([]) as unknown as Entry[];
const noExtents = Object.freeze([]) as unknown as Extent[];

const hardStateZero: HardState = { term: 0, vote: 0 as ReplicaId, commit: 0 };

export class GroupLog {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	readonly #pins: SegmentPins;
	#hardState: HardState = hardStateZero;
	/** 0: nowhere. */
	#hardStateSegment = 0;
	#snapshot: SnapshotMetadata | undefined;
	#snapshotSegment = 0;
	/** Shared with the Raft group, which holds them in memory as well. Without any, the same as all others' (so is the next). */
	#entries: Entry[] = noEntries;
	#extents: Extent[] = noExtents;
	/**
	 * Of the newest entry, also after it was compacted. Undefined where what came before is not known (a new group, or one of
	 * which recovery found no entry yet): then the log may begin anywhere.
	 */
	#lastIndex: LogIndex | undefined;
	#liveBytes = 64;

	constructor(rangeId: RangeId, replicaId: ReplicaId, pins: SegmentPins) {
		this.rangeId = rangeId;
		this.replicaId = replicaId;
		this.#pins = pins;
	}

	/** What a checkpoint of the group would take, about. */
	get liveBytes(): number {
		return this.#liveBytes;
	}

	/** True if part of the group lies in `segment` and nowhere else. */
	isPinning(segment: number): boolean {
		return (
			this.#hardStateSegment === segment ||
			this.#snapshotSegment === segment ||
			this.#extents[0]?.segment === segment
		);
	}

	/** Why `write` cannot follow, or undefined. */
	refusal(write: WalWrite): string | undefined {
		const entries = write.entries;
		const first = entries?.[0];
		if (entries === undefined || first === undefined) {
			return undefined;
		}
		for (let n = 1; n < entries.length; n++) {
			if (entries[n]?.index !== first.index + n) {
				return `entries of range ${write.rangeId} are not contiguous at ${first.index + n}`;
			}
		}
		const snapshot = write.snapshot;
		const last = snapshot === undefined ? this.#lastIndex : this.#lastAfter(snapshot);
		return last === undefined || first.index <= last + 1
			? undefined
			: `entries of range ${write.rangeId} go from ${last} to ${first.index}`;
	}

	/** `segment` holds its record. */
	apply(write: WalWrite, segment: number): void {
		// The first write stands for the group's existence, whatever it holds.
		if (write.hardState !== undefined || this.#hardStateSegment === 0) {
			this.#hardStateSegment = this.#move(this.#hardStateSegment, segment);
			this.#hardState = write.hardState ?? hardStateZero;
		}
		if (write.snapshot !== undefined) {
			const { index, term, configuration, reset } = write.snapshot;
			this.#snapshotSegment = this.#move(this.#snapshotSegment, segment);
			this.#snapshot = { index, term, configuration };
			if (reset) {
				this.#truncate(0);
			}
			this.compact(index);
			this.#lastIndex = this.#lastAfter(write.snapshot);
		}
		const entries = write.entries;
		const first = entries?.[0];
		if (entries !== undefined && first !== undefined) {
			this.#truncate(first.index);
			if (this.#entries === noEntries) {
				this.#entries = [];
				this.#extents = [];
			}
			for (const entry of entries) {
				this.#entries.push(entry);
				this.#liveBytes += entryBytes(entry);
			}
			this.#lastIndex = first.index + entries.length - 1;
			const extent = this.#extents.at(-1);
			if (extent?.segment === segment) {
				extent.lastIndex = this.#lastIndex;
			} else {
				this.#extents.push({ segment, lastIndex: this.#lastIndex });
				this.#pins.pin(segment, 1);
			}
		}
	}

	/** Forgets entries up to `index`. */
	compact(index: LogIndex): void {
		const first = this.#entries[0];
		if (first === undefined || first.index > index) {
			return;
		}
		const count = Math.min(index - first.index + 1, this.#entries.length);
		for (let n = 0; n < count; n++) {
			this.#liveBytes -= entryBytes(this.#entries[n] as Entry);
		}
		if (count === this.#entries.length) {
			this.#entries = noEntries;
		} else {
			this.#entries.splice(0, count);
		}
		let dead = 0;
		for (const extent of this.#extents) {
			if (extent.lastIndex > index) {
				break;
			}
			this.#pins.pin(extent.segment, -1);
			dead++;
		}
		if (dead === this.#extents.length) {
			this.#extents = noExtents;
		} else {
			this.#extents.splice(0, dead);
		}
	}

	/** Nothing of the group is needed any more. */
	release(): void {
		this.#hardStateSegment = this.#move(this.#hardStateSegment, 0);
		this.#snapshotSegment = this.#move(this.#snapshotSegment, 0);
		this.#truncate(0);
	}

	/** All of the group as one write, for a group that has nothing yet. */
	checkpoint(): WalWrite {
		return {
			rangeId: this.rangeId,
			replicaId: this.replicaId,
			hardState: this.#hardState,
			entries: this.#entries.slice(),
			...(this.#snapshot === undefined ? {} : { snapshot: { ...this.#snapshot, reset: false } }),
		};
	}

	recovered(): RecoveredGroup {
		const { rangeId, replicaId } = this;
		const entries = this.#entries.slice();
		return { rangeId, replicaId, hardState: this.#hardState, snapshot: this.#snapshot, entries };
	}

	/** Forgets entries from `index` on. */
	#truncate(index: LogIndex): void {
		const first = this.#entries[0]?.index ?? index;
		const keep = Math.max(0, index - first);
		while (this.#entries.length > keep) {
			this.#liveBytes -= entryBytes(this.#entries.pop() as Entry);
		}
		while (this.#extents.length > 0) {
			const before = this.#extents.at(-2)?.lastIndex ?? first - 1;
			const extent = this.#extents.at(-1) as Extent;
			if (before < index - 1 && keep > 0) {
				extent.lastIndex = Math.min(extent.lastIndex, index - 1);
				break;
			}
			this.#pins.pin(extent.segment, -1);
			this.#extents.pop();
		}
		assert(
			(this.#entries.length === 0) === (this.#extents.length === 0),
			"the extents of a group's log cover its entries",
		);
	}

	#lastAfter(snapshot: {
		readonly index: LogIndex;
		readonly reset: boolean;
	}): LogIndex | undefined {
		if (snapshot.reset || this.#lastIndex === undefined) {
			return snapshot.reset ? snapshot.index : undefined;
		}
		return Math.max(snapshot.index, this.#lastIndex);
	}

	#move(from: number, to: number): number {
		if (from !== to) {
			if (to !== 0) {
				this.#pins.pin(to, 1);
			}
			if (from !== 0) {
				this.#pins.pin(from, -1);
			}
		}
		return to;
	}
}
