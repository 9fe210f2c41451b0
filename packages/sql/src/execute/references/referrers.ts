/** The rows that refer to a key: found as they are newest, and all that there are, whatever the isolation level. */
import type { Key } from "@quorate/keys/key";
import type { LockRequest, ScanOptions } from "@quorate/txn/types";
import type { Datum } from "../../types/datum.ts";
import type { ExecRow, Execution } from "../env.ts";
import { entryTarget } from "../index-codec.ts";
import type { Reference } from "./reference.ts";

export interface FoundReferrer {
	readonly key: Key;
	readonly row: ExecRow;
}

const entryLock: LockRequest = { strength: "key share", wait: "block" };

/**
 * `lock`: of the rows. What was looked through must be unchanged at commit. Through an index it is read newest, so that whoever has
 * waited for a row that somebody else was adding finds it; the whole of a table is read as of the statement's time, and a row
 * that was added since makes the commit fail.
 */
export async function* referrers(
	reference: Reference,
	values: readonly Datum[],
	execution: Execution,
	lock: LockRequest,
): AsyncIterable<readonly FoundReferrer[]> {
	const { child } = reference;
	const { span, index } = reference.search(values);
	const options: ScanOptions = { holds: true, ...(index === undefined ? {} : { lock: entryLock }) };
	const decode = (value: Uint8Array): Datum[] => {
		const row: Datum[] = new Array(child.row.width);
		child.row.decode(value, row, 0, undefined);
		return row;
	};
	for await (const page of execution.store.scan(span, options)) {
		const keys =
			index === undefined || index.isPrimary
				? page
						.filter(({ value }) => reference.hasValues(decode(value), values))
						.map(({ key }) => key)
				: page.map(({ value }) => entryTarget(child.primaryPrefix, value));
		const found: FoundReferrer[] = [];
		for (const [i, value] of (await execution.store.get(keys, lock)).entries()) {
			// Who has waited for the lock may find that the row is gone, or refers to something else.
			const row = value === undefined ? undefined : decode(value);
			if (row !== undefined && reference.hasValues(row, values)) found.push({ key: keys[i]!, row });
		}
		if (found.length > 0) yield found;
		const pause = execution.pause();
		if (pause !== undefined) await pause;
	}
}
