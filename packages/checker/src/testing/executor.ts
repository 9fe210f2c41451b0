/**
 * Valid histories by chance: processes run operations that overlap, each takes effect at a random instant inside its interval, or
 * not at all. Some answers are lost (the operation had happened, would happen later, or never), which ends the process; some are
 * refusals. A process whose answer was lost goes on under a new id.
 */
import type { Random } from "./random.ts";

export interface Planned {
	readonly id: number;
	readonly process: number;
	readonly invoked: number;
	/** Infinite where the answer was lost. */
	readonly completed: number;
	readonly status: "ok" | "fail" | "info";
	/** When it takes effect; undefined: never. */
	readonly at: number | undefined;
	/** Before that: when a transaction takes its snapshot, where it does so before its end. */
	readonly snapshotAt: number;
}

export interface Plan {
	readonly processes: number;
	readonly operations: number;
	readonly lost?: number;
	readonly refused?: number;
}

/** In the order of their invocations. */
export function plan(random: Random, options: Plan): readonly Planned[] {
	const { processes, operations, lost = 0.1, refused = 0.1 } = options;
	const free = Array.from({ length: processes }, (_, process) => ({ process, from: 0 }));
	const out: Planned[] = [];
	let ids = processes;
	for (let id = 0; id < operations; id++) {
		const worker = random.pick(free);
		// Instants are whole numbers at times, so that some coincide.
		const step = () => (random.chance(0.3) ? random.below(4) : random.float() * 10);
		const invoked = worker.from + step();
		const snapshotAt = invoked + random.float() * 5;
		const at = snapshotAt + random.float() * 5;
		const end = at + random.float() * 5;
		const draw = random.float();
		const status = draw < lost ? "info" : draw < lost + refused ? "fail" : "ok";
		const happens = status === "ok" || (status === "info" && random.chance(0.5));
		out.push({
			id,
			process: worker.process,
			invoked,
			completed: status === "info" ? Number.POSITIVE_INFINITY : end,
			status,
			at: happens ? at + (status === "info" && random.chance(0.3) ? 40 : 0) : undefined,
			snapshotAt,
		});
		worker.from = end + Number.EPSILON * end;
		if (status === "info") worker.process = ids++;
	}
	return out.sort((a, b) => a.invoked - b.invoked);
}

/** In the order in which they take effect; those that never do stand where they would be read. */
export const inEffect = (planned: readonly Planned[]): readonly Planned[] =>
	[...planned].sort((a, b) => (a.at ?? a.snapshotAt) - (b.at ?? b.snapshotAt));
