/**
 * Groups that rest though the node of a member is out of sight. A node that is down would otherwise keep every group awake that is asked
 * for something meanwhile: thousands that send heartbeats to each other.
 *
 * 1. The leader rests when all members have everything but those that are gone, and they are a quorum. Who is left hears of its death as
 *    always: by the connection that ends.
 * 2. Whoever is back asks who leads (`host.ts`), which says so; should its question not come, it is asked itself, once a second.
 *    As soon as anything is heard of its node the leader wakes, asks all members, brings them up to date, and rests again with all.
 * 3. The log stays until then, here and on followers that miss the same node: who comes back is to need no snapshot.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Scheduler, Timer } from "@quorate/runtime/runtime";
import type { GroupDriver } from "./group-driver.ts";

const askMs = 1_000;

interface Steps {
	/** Asks those that are lost whether they are there. */
	ask(): void;
	/** The log may go. */
	rests(driver: GroupDriver): void;
}

export class Missing {
	readonly #scheduler: Scheduler;
	readonly #steps: Steps;
	readonly #groups = new Set<GroupDriver>();
	/** Somebody is back since the last look. */
	#isNews = false;
	#timer: Timer | undefined;

	constructor(scheduler: Scheduler, steps: Steps) {
		this.#scheduler = scheduler;
		this.#steps = steps;
	}

	add(driver: GroupDriver): void {
		this.#groups.add(driver);
		this.#timer ??= this.#scheduler.setTimer(askMs, () => this.#look());
	}

	delete(driver: GroupDriver): void {
		this.#groups.delete(driver);
	}

	heardOf(node: NodeId): void {
		this.#isNews = true;
		for (const driver of this.#groups) {
			if (driver.nodes().includes(node)) driver.returned();
		}
	}

	close(): void {
		this.#groups.clear();
		this.#timer?.cancel();
	}

	#look(): void {
		this.#timer = undefined;
		this.#steps.ask();
		if (this.#isNews) {
			this.#isNews = false;
			for (const driver of this.#groups) this.#lookAt(driver);
		}
		if (this.#groups.size > 0) {
			this.#timer = this.#scheduler.setTimer(askMs, () => this.#look());
		}
	}

	#lookAt(driver: GroupDriver): void {
		if (driver.missesSome) return;
		if (driver.isAtRest) {
			this.#groups.delete(driver);
			this.#steps.rests(driver);
		} else {
			// Soon it will be, or it has begun anew.
			this.#isNews = true;
		}
	}
}
