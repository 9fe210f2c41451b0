/**
 * One key, read by a transaction that does nothing else: it needs no buffer, no read set and no name, since nothing comes after the
 * read that could contradict it. Its timestamp is drawn after the request came, so that it sees all that had committed before: by the
 * leaseholder, or here (`read-spread.ts`).
 */
import type { Key } from "@quorate/keys/key";
import type { RangeInfo } from "@quorate/keys/range";
import type { RangeAnswer } from "@quorate/replica/requests";
import type { Gateway } from "./gateway.ts";
import type { CancelSignal, LoneValue } from "./types.ts";

/** Undefined, at once or later: nothing was read, and a transaction has to find out why. */
export function readAlone(
	gateway: Gateway,
	k: Key,
	cancel: CancelSignal,
): Promise<LoneValue | undefined> | undefined {
	const { router } = gateway;
	const info = router.cachedRangeOf(k);
	if (info === undefined || cancel.reason !== undefined) {
		return undefined;
	}
	const asked = ask(gateway, k, info);
	if (!(asked instanceof Promise)) {
		return undefined;
	}
	return new Promise((resolve, reject) => {
		const stop = cancel.onCancel(() => {
			if (cancel.reason !== undefined) {
				reject(cancel.reason);
			}
		});
		asked.then(
			(answer) => {
				stop();
				resolve(taken(gateway, answer));
			},
			(error) => {
				stop();
				reject(error);
			},
		);
	});
}

const options = { idempotent: true };

function ask(gateway: Gateway, k: Key, info: RangeInfo): RangeAnswer | Promise<RangeAnswer> {
	const { router, readSpread, placement } = gateway;
	const { leaseholder } = info;
	const isWide = leaseholder !== undefined && readSpread.noted(leaseholder);
	const body = { kind: "read" as const, keys: [k], s: null };
	const here = router.here(info, body);
	if (here !== undefined) return here;
	if (!isWide) return router.request(k, body, options);
	return placement.issue().then(async (drawn) => {
		const answer = await router.request(k, { ...body, s: drawn.timestamp }, options);
		return answer.kind === "values" ? { ...answer, drawn } : answer;
	});
}

function taken({ placement, statistics }: Gateway, answer: RangeAnswer): LoneValue | undefined {
	if (answer.kind !== "values" || answer.drawn === undefined) {
		return undefined;
	}
	const { timestamp, schemaVersion } = answer.drawn;
	placement.observe(timestamp, schemaVersion);
	statistics.readOnlyCommits++;
	return { value: answer.values[0]!, timestamp, schemaVersion };
}
