/** Where a transaction may hold locks: whom to tell when it ends. Mostly that is nobody: the one range it wrote to has released them. */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeDescriptor } from "@quorate/keys/range";

const isSame = (a: RangeDescriptor, b: RangeDescriptor): boolean =>
	a.rangeId === b.rangeId && a.epoch.version === b.epoch.version;

/** A request that may lock something, and was not answered yet. */
export interface LockAttempt {
	readonly descriptor: RangeDescriptor;
}

export class LockPlaces {
	readonly #nodes = new Set<NodeId>();
	readonly #open = new Set<LockAttempt>();
	#range: RangeDescriptor | undefined;
	#isScattered = false;

	/** A request goes out. Until it is settled, each of the range's replicas may come to serve it. */
	begin(descriptor: RangeDescriptor): LockAttempt {
		const attempt = { descriptor };
		this.#open.add(attempt);
		return attempt;
	}

	/** It was answered by `servedBy`, its first and only choice; undefined: by whomever. */
	settle(attempt: LockAttempt, servedBy: NodeId | undefined): void {
		this.#open.delete(attempt);
		const { descriptor } = attempt;
		if (servedBy !== undefined) {
			this.#nodes.add(servedBy);
		} else {
			this.#addReplicas(descriptor);
		}
		this.#isScattered ||= servedBy === undefined;
		this.#isScattered ||= this.#range !== undefined && !isSame(this.#range, descriptor);
		this.#range = descriptor;
	}

	/** Some of its locks came there with a lease. */
	add(node: NodeId): void {
		this.#nodes.add(node);
	}

	get isEmpty(): boolean {
		return this.#nodes.size === 0 && this.#open.size === 0;
	}

	/** Everything that was locked is known to be in that range: of another version, a split may have taken some of it. */
	areOnlyIn(range: RangeDescriptor): boolean {
		const isIt = this.#range !== undefined && isSame(this.#range, range);
		return this.#open.size === 0 && !this.#isScattered && isIt;
	}

	/** The nodes at which a request may still wait. */
	waitingNodes(): ReadonlySet<NodeId> {
		const nodes = new Set<NodeId>();
		for (const { descriptor } of this.#open) {
			for (const { nodeId } of descriptor.replicas) {
				nodes.add(nodeId);
			}
		}
		return nodes;
	}

	/** The nodes to tell; there are none afterwards. */
	take(): readonly NodeId[] {
		for (const { descriptor } of this.#open) {
			this.#addReplicas(descriptor);
		}
		const nodes = [...this.#nodes];
		this.#nodes.clear();
		this.#open.clear();
		return nodes;
	}

	#addReplicas(descriptor: RangeDescriptor): void {
		for (const replica of descriptor.replicas) {
			this.#nodes.add(replica.nodeId);
		}
	}
}
