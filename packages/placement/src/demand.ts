/**
 * Where timestamps are asked for, as the leader counts it: a node that asks for most of them is spared a message there
 * and one back by leading itself. It is about speed only: who leads never matters to what is right.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Clock } from "@quorate/runtime/runtime";

/** One judgement a window. */
export const windowMs = 2_000;
/** With fewer requests in a window it does not matter. */
const requestsMin = 400;
/** Of all requests: well over half, so that two busy nodes do not pass the lead to and fro. */
const shareMin = 2 / 3;

export class Demand {
	readonly #clock: Clock;
	readonly #requests = new Map<NodeId, number>();
	#total = 0;
	#sinceMs = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Leadership begins. */
	reset(): void {
		this.#requests.clear();
		this.#total = 0;
		this.#sinceMs = this.#clock.monotonicMs();
	}

	/** Counts one request; once a window, names the node that should lead for the sake of its requests, if there is one. */
	asked(by: NodeId): NodeId | undefined {
		this.#requests.set(by, (this.#requests.get(by) ?? 0) + 1);
		this.#total++;
		if (this.#clock.monotonicMs() < this.#sinceMs + windowMs) {
			return undefined;
		}
		const wanted = Math.max(requestsMin, this.#total) * shareMin;
		const found = [...this.#requests].find(([, requests]) => requests > wanted);
		this.reset();
		return found?.[0];
	}
}
