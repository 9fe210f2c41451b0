/** Waiting for a condition of another process, which can only be asked for again and again. */
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 50;
/** A test that gets here has failed; nothing that works takes as long, on any machine. */
export const patienceMs = 120_000;

/** Thrown by a condition that can no longer hold: nothing is waited for. */
export class Hopeless extends Error {
	override readonly name = "Hopeless";
}

/** Resolves when the condition holds; rejects with what was waited for. A condition that throws does not hold. */
export async function until(
	what: string,
	condition: () => Promise<boolean> | boolean,
	limitMs: number = patienceMs,
): Promise<void> {
	const deadline = Date.now() + limitMs;
	let last: unknown;
	for (;;) {
		try {
			if (await condition()) {
				return;
			}
			last = undefined;
		} catch (error) {
			if (error instanceof Hopeless) {
				throw error;
			}
			last = error;
		}
		if (Date.now() > deadline) {
			const why =
				last === undefined ? "" : `: ${last instanceof Error ? last.message : String(last)}`;
			throw new Error(`waited ${limitMs / 1000} s in vain until ${what}${why}`);
		}
		await sleep(pollMs);
	}
}
