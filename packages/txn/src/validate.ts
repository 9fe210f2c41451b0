/**
 * Validation (design, section 6, step 3): what was read would read the same at c. Asked at the leaseholders of what was read, in parallel,
 * without Raft; by a gateway that commits in two phases, and by a leaseholder that commits in one what was partly read elsewhere.
 */
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { RangeAnswer, ValidateItem } from "@quorate/replica/requests";
import type { RangeRouter } from "./router.ts";
import { slices } from "./slices.ts";

/** Of one slice: a leaseholder looks at it part by part, and waits for who is about to commit. A dead peer is noticed by its connection. */
const validateMs = 60_000;
/** Asked for together: a transaction may have locked millions of rows, and a message of them all would be a second's work for either side. */
const itemsMax = 5_000;

const valid: RangeAnswer = { kind: "done" };

export interface Validation {
	/** Null: nothing of it is pending yet. */
	readonly transaction: TransactionId | null;
	readonly owner: LockOwner;
	readonly items: Iterable<ValidateItem>;
	readonly c: Timestamp;
}

/** "done", or the first reason why it is not valid. Rejects where a leaseholder cannot be asked. */
export async function validate(router: RangeRouter, asked: Validation): Promise<RangeAnswer> {
	for (const items of slices(asked.items, itemsMax)) {
		const answer = await validateSome(router, asked, items);
		if (answer.kind !== "done") {
			return answer;
		}
	}
	return valid;
}

async function validateSome(
	router: RangeRouter,
	asked: Validation,
	items: readonly ValidateItem[],
): Promise<RangeAnswer> {
	let left = items;
	while (left.length > 0) {
		const groups = await byRange(router, left);
		const answers = await Promise.all(
			groups.map((items) => {
				const body = { kind: "validate" as const, ...asked, items };
				const options = { idempotent: true, attemptMs: validateMs };
				return router.request(items[0]!.span.start, body, options);
			}),
		);
		const refused = answers.find(({ kind }) => kind !== "done" && kind !== "stale");
		if (refused !== undefined) {
			return refused;
		}
		left = groups.flatMap((items, i) => (answers[i]!.kind === "stale" ? items : []));
	}
	return valid;
}

/** Never empty ones. */
async function byRange(
	router: RangeRouter,
	items: readonly ValidateItem[],
): Promise<readonly (readonly ValidateItem[])[]> {
	const groups = new Map<number, ValidateItem[]>();
	for (const item of items) {
		for (const { info, span } of await router.cut([item.span])) {
			const { rangeId } = info.descriptor;
			const part = { ...item, span };
			const group = groups.get(rangeId);
			if (group === undefined) {
				groups.set(rangeId, [part]);
			} else {
				group.push(part);
			}
		}
	}
	return [...groups.values()];
}
