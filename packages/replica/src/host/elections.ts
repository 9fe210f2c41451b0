/**
 * Whose turn it is to stand for election. A node may have ten thousand groups, and all of them may lose their leaders at once, or start at
 * once. Their elections together would be seconds of work for each node, in which nobody hears a leader, and so lead to the next ones. So
 * they are spread over time; what is asked for meanwhile does not wait.
 *
 * E1. In each tick so many groups stand, in the order in which their time has come: each has its turn.
 * E2. One that somebody asks for stands at once, unless so many have done so in this tick; then it is among the first of the next.
 * E3. Who waits has no clock. Who hears of a leader while it waits, or gives its vote to another, does not stand.
 */
import type { GroupDriver } from "./group-driver.ts";

/** In a tick, of those that nobody has asked for: ten thousand groups of three nodes have elected after some 20 s. */
export const electionsInTurn = 16;
/** In a tick, of those that somebody asks for. */
export const electionsAsked = 64;

export class Elections {
	readonly #waiting = new Set<GroupDriver>();
	readonly #asked = new Set<GroupDriver>();
	#roomForAsked = electionsAsked;
	/** Elections that groups of this node have stood in of their own accord. */
	stood = 0;

	/** Its time has come. */
	add(driver: GroupDriver): void {
		if (driver.standsFirst) this.#stand(driver);
		else this.#waiting.add(driver);
	}

	delete(driver: GroupDriver): void {
		this.#waiting.delete(driver);
		this.#asked.delete(driver);
	}

	get size(): number {
		return this.#waiting.size;
	}

	/** It would stand, and has not had its turn. */
	has(driver: GroupDriver): boolean {
		return this.#waiting.has(driver);
	}

	/** Somebody wants something of the group here. */
	ask(driver: GroupDriver): void {
		if (!this.#waiting.has(driver)) return;
		if (this.#roomForAsked > 0) {
			this.#roomForAsked--;
			this.#stand(driver);
		} else this.#asked.add(driver);
	}

	tick(): void {
		this.#roomForAsked = electionsAsked - this.#standSome(this.#asked, electionsAsked);
		this.#standSome(this.#waiting, electionsInTurn);
	}

	/** How many have stood. */
	#standSome(drivers: Iterable<GroupDriver>, most: number): number {
		const before = this.stood;
		for (const driver of drivers) {
			if (this.stood - before === most) break;
			this.#stand(driver);
		}
		return this.stood - before;
	}

	#stand(driver: GroupDriver): void {
		this.delete(driver);
		// E3.
		if (driver.isRemoved || !driver.raft.isDue) return;
		this.stood++;
		driver.stand();
	}
}
