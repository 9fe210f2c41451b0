/**
 * Which replicas of a node something goes on with. A node may have ten thousand, and at most times nothing happens in most of them: those
 * rest. A resting replica has no timer, no look goes over it, and it keeps of itself only what it cannot learn again.
 *
 * R1. A replica rests when for a while no request and no entry has come to it, its group rests and has a leader, and there is nothing
 *     in it that anybody might wait for or look after: no pending write, intent, lock, merge or snapshot.
 * R2. Each of these begins with a request, an entry or a change of its leader. All three wake it.
 * R3. When it begins to rest, its Raft log goes: all members have all of it durably, as their leader has made sure, so nobody asks for any.
 */
import type { Replica } from "./replica.ts";

/** After so long without a request or an entry. */
const restsAfterMs = 60_000;
/** In one look: what each has to write for it is not to hold up others. */
const restingAtOnce = 500;

export class AwakeReplicas {
	readonly #awake = new Set<Replica>();
	readonly #restsAfterMs: number;

	constructor(restMs: number | undefined) {
		this.#restsAfterMs = restMs ?? restsAfterMs;
	}

	get size(): number {
		return this.#awake.size;
	}

	add(replica: Replica): void {
		this.#awake.add(replica);
	}

	delete(replica: Replica): void {
		this.#awake.delete(replica);
	}

	[Symbol.iterator](): Iterator<Replica> {
		return this.#awake[Symbol.iterator]();
	}

	/** Called now and then. Returns those that rest from now on. */
	look(nowMs: number): readonly Replica[] {
		const resting: Replica[] = [];
		for (const replica of this.#awake) {
			if (resting.length === restingAtOnce) {
				break;
			}
			if (replica.mayRest(nowMs, nowMs - this.#restsAfterMs)) {
				this.#awake.delete(replica);
				replica.rest();
				resting.push(replica);
			}
		}
		return resting;
	}
}
