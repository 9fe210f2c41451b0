/**
 * Writes that come one after the other and are seen the other way round. Comments (causal reverse): a write that had ended before
 * another began is seen by whoever sees that one. Sequential: the writes of one process are seen in its order.
 */
import type { Key } from "./history.ts";

export interface CommentWrite {
	readonly key: Key;
	readonly process: number;
	/** ok: acknowledged. fail: certainly not. info: not known. */
	readonly status: "ok" | "fail" | "info";
	readonly invoked: number;
	/** Infinite for info. */
	readonly completed: number;
}

/** Of all keys at once, answered. */
export interface CommentRead {
	readonly id: number;
	readonly seen: readonly Key[];
}

export interface Reversal {
	readonly kind: "causal-reverse" | "sequential" | "unexpected";
	readonly read: number;
	readonly explanation: string;
}

export interface CausalReverseResult {
	/** Some read saw something, and nothing was the wrong way round. */
	readonly valid: boolean;
	readonly reads: number;
	/** At most one of each kind for each read. */
	readonly reversals: readonly Reversal[];
}

export function checkCausalReverse(
	writes: readonly CommentWrite[],
	reads: readonly CommentRead[],
): CausalReverseResult {
	const byKey = new Map(writes.map((w) => [w.key, w]));
	const acknowledged = writes.filter((w) => w.status === "ok");
	acknowledged.sort((a, b) => a.completed - b.completed);
	const reversals: Reversal[] = [];
	for (const { id, seen } of reads) {
		const keys = new Set(seen);
		const shown: CommentWrite[] = [];
		for (const key of seen) {
			const write = byKey.get(key);
			if (write !== undefined && write.status !== "fail") shown.push(write);
			else
				reversals.push({
					kind: "unexpected",
					read: id,
					explanation: `#${id} saw ${key}, which nobody wrote`,
				});
		}
		const real = missing(acknowledged, keys, last(shown));
		if (real !== undefined)
			reversals.push({ kind: "causal-reverse", read: id, explanation: say(id, real) });
		const sequential = missingOfProcess(acknowledged, keys, shown);
		if (sequential !== undefined) {
			reversals.push({ kind: "sequential", read: id, explanation: say(id, sequential) });
		}
	}
	const valid = reversals.length === 0 && reads.some((r) => r.seen.length > 0);
	return { valid, reads: reads.length, reversals };
}

interface Missing {
	readonly missed: CommentWrite;
	readonly seen: CommentWrite;
}

const say = (read: number, { missed, seen }: Missing): string =>
	`#${read} saw ${seen.key} and not ${missed.key}, whose write had ended before that of ${seen.key} began`;

function last(writes: readonly CommentWrite[]): CommentWrite | undefined {
	let latest: CommentWrite | undefined;
	for (const w of writes) if (latest === undefined || w.invoked > latest.invoked) latest = w;
	return latest;
}

/** The first by its end that had ended before `seen` began, and is not among the keys. */
function missing(
	acknowledged: readonly CommentWrite[],
	keys: ReadonlySet<Key>,
	seen: CommentWrite | undefined,
): Missing | undefined {
	if (seen === undefined) return undefined;
	for (const missed of acknowledged) {
		if (missed.completed >= seen.invoked) return undefined;
		if (!keys.has(missed.key)) return { missed, seen };
	}
	return undefined;
}

function missingOfProcess(
	acknowledged: readonly CommentWrite[],
	keys: ReadonlySet<Key>,
	shown: readonly CommentWrite[],
): Missing | undefined {
	const latest = new Map<number, CommentWrite>();
	for (const w of shown) {
		const other = latest.get(w.process);
		if (other === undefined || w.invoked > other.invoked) latest.set(w.process, w);
	}
	const end = last(shown)?.invoked ?? Number.NEGATIVE_INFINITY;
	for (const missed of acknowledged) {
		if (missed.completed > end) return undefined;
		const seen = latest.get(missed.process);
		// A process runs one at a time: an end may coincide with the next start.
		if (seen === undefined || seen === missed || missed.completed > seen.invoked) continue;
		if (!keys.has(missed.key)) return { missed, seen };
	}
	return undefined;
}
