/** Running something again after a conflict, with a bound and jitter. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime } from "@quorate/runtime/runtime";

const attemptsMax = 12;
const firstDelayMs = 2;
const delayMaxMs = 250;

/** Conflicts that a fresh transaction may not meet again. */
export const isConflict = (error: unknown): error is DatabaseError =>
	error instanceof DatabaseError && (error.code === "40001" || error.code === "40P01");

/** The cluster could not be reached, and nothing was done: the call has waited for it as long as a statement should (10 s). */
export const isUnreachable = (error: unknown): error is DatabaseError =>
	error instanceof DatabaseError && error.code === "57P03";

/**
 * What has worked for minutes outlives a while in which the cluster cannot be reached: it would be begun again, and from the start.
 * Each attempt waits its 10 s.
 */
export const isPassing = (error: unknown): boolean => isConflict(error) || isUnreachable(error);

/** Of a batch that looks what is there, and so may be done twice: its outcome need not be known. */
export const mayRepeat = (error: unknown): boolean =>
	isPassing(error) || (error instanceof DatabaseError && error.code === "40003");

export function pause(runtime: Runtime, ms: number): Promise<void> {
	return new Promise((resolve) => {
		runtime.scheduler.setTimer(ms, resolve);
	});
}

/** The first retry comes at once, for the conflict is over by then; later ones back off. */
export async function backOff(runtime: Runtime, attempt: number): Promise<void> {
	if (attempt === 0) return;
	const ceiling = Math.min(delayMaxMs, firstDelayMs * 2 ** attempt);
	await pause(runtime, ceiling * (0.5 + runtime.random.float() / 2));
}

/** `may`: whether what failed may still be run again; `attempts`: how often at most. */
export async function retrying<T>(
	runtime: Runtime,
	run: (attempt: number) => Promise<T>,
	may: (error: unknown) => boolean = isConflict,
	attempts = attemptsMax,
): Promise<T> {
	for (let attempt = 0; ; attempt++) {
		try {
			return await run(attempt);
		} catch (error) {
			if (attempt + 1 >= attempts || !may(error)) throw error;
			await backOff(runtime, attempt);
		}
	}
}
