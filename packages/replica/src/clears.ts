/**
 * Removing what nobody can read any more: all versions of the keys of a table or an index that was dropped.
 *
 * C1. Nothing is removed before the GC threshold has passed the drop (S4). So whoever would read what was there is told that it is gone
 *     (72000), and whoever reads above the threshold plans without it.
 * C2. Intents stay. Those that are there have a p above the threshold, hence above the drop: their transactions cannot commit, for they
 *     planned with what was dropped, and take them away as they end. Until then the span is not done.
 * C3. In steps that each name a short span, at the node's pace. A step that is done twice, or by two leaseholders one after the other,
 *     does no harm.
 * C4. A range that begins inside the span begins there for nobody's sake any more, be it that somebody had split it by hand.
 */
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Engine } from "@quorate/storage/engine";
import {
	dataSpan,
	deletionSpan,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	userKey,
} from "@quorate/storage/engine-keys";
import { thresholdNow } from "./housekeeping.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer, RangeRequestBody } from "./requests.ts";

type Clear = Extract<RangeRequestBody, { kind: "clear" }>;

/** Of one entry of the log: rows of each kind, and what reading them takes. */
const stepLimits = { rowsMax: 250, bytesMax: 256 << 10, reverse: false, keyOffset: 0 };
/** Applying it, they are read again and removed. */
const stepWeight = 3;
/** Of one request: then its sender asks again. */
const stepsMax = 20;

export async function clear(replica: Replica, q: Clear): Promise<RangeAnswer> {
	const { context, state, blockers } = replica;
	const lifeMs = await context.historyLifeMs();
	if (lifeMs === undefined || !replica.holding()) {
		return notYet;
	}
	const threshold = Math.max(state.gcThreshold, await thresholdNow(replica, lifeMs)) as Timestamp;
	if (threshold < q.at) {
		return notYet;
	}
	let from: Key = q.span.start;
	for (let steps = 0; steps < stepsMax; steps++) {
		const rest: Span = { start: from, end: q.span.end };
		const end = await context.pace.part(() => stepEnd(context.engine, rest), stepWeight);
		if (!replica.holding()) {
			return replica.notLeaseholder();
		}
		if (!replica.ownsSpan(q.span)) {
			return replica.stale();
		}
		if (replica.isMerging) {
			return notYet;
		}
		// The first is proposed even if there is nothing: from then on all of the range says that it is gone.
		if (end !== undefined || steps === 0) {
			const span = { start: from, end: end ?? q.span.end };
			const command = { kind: "clear" as const, threshold, dropped: q.at, span };
			const result = await replica.propose(command, state.descriptor.epoch.version);
			if (result?.kind !== "done") {
				return notYet;
			}
		}
		if (end === undefined || end >= q.span.end) {
			const isDone = blockers.firstIntents(q.span, 1).length === 0;
			return { kind: "cleared", isDone, resume: null };
		}
		from = end;
	}
	return { kind: "cleared", isDone: true, resume: from };
}

const notYet: RangeAnswer = { kind: "cleared", isDone: false, resume: null };

/** Where a step that begins with the span ends; undefined: nothing is there. */
function stepEnd(engine: Engine, span: Span): Key | undefined {
	const kinds: readonly (readonly [Span, (k: Key) => Key])[] = [
		[dataSpan(span), userKey],
		[deletionSpan(span), userKey],
		[historySpan(span), (k) => historyUserKey(historyPrefixOf(k))],
	];
	let end: Key | undefined;
	for (const [of, userKeyOf] of kinds) {
		const { keys, more } = engine.scan(of, stepLimits);
		if (keys.length > 0) {
			const last = userKeyOf(keys.at(-1)!);
			// The versions of one key go together.
			const upTo = !more ? span.end : last > span.start ? last : keySuccessor(last);
			end = end === undefined || upTo < end ? upTo : end;
		}
	}
	return end;
}
