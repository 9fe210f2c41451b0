/**
 * About how many rows a table has. They are counted where the table is small, and in ranges that hold something else as well, such as what was
 * dropped and is kept for a while; of ranges that are all the table's, their sizes are divided by what its first rows take. History of such a range counts as rows.
 */
import type { Span } from "@quorate/keys/key";
import type { Transaction } from "@quorate/txn/types";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { indexSpan } from "../catalog/keys.ts";
import { type Builder, beginSnapshot } from "./fill.ts";

const smallMax = 10_000;
/** Of a range that it shares: seconds of reading, of work that takes minutes. */
const sharedMax = 500_000;

interface Count {
	/** One more than `max`: there are others. */
	readonly rows: number;
	readonly bytes: number;
}

async function count(transaction: Transaction, span: Span, max: number): Promise<Count> {
	let rows = 0;
	let bytes = 0;
	for await (const page of transaction.scan(span, { limit: max + 1 })) {
		rows += page.length;
		for (const { key, value } of page) bytes += key.length + value.byteLength;
		if (rows > max) break;
	}
	return { rows, bytes };
}

/** Undefined: not known. */
export async function estimateRows(
	state: Pick<Builder, "services" | "cancel">,
	table: TableDescriptor,
): Promise<number | undefined> {
	const whole = indexSpan(table.primary.indexId);
	const transaction = await beginSnapshot(state, state.cancel);
	try {
		const first = await count(transaction, whole, smallMax);
		if (first.rows <= smallMax) return first.rows;
		const rowBytes = first.bytes / first.rows;
		let rows = 0;
		const ranges = await state.services.coordinator.ranges(whole);
		for (const { descriptor, leaseholder, sizeBytes } of ranges) {
			if (leaseholder === undefined) return undefined;
			const start = descriptor.start > whole.start ? descriptor.start : whole.start;
			const end = descriptor.end < whole.end ? descriptor.end : whole.end;
			const isShared = start !== descriptor.start || end !== descriptor.end;
			const counted = isShared ? await count(transaction, { start, end }, sharedMax) : undefined;
			rows +=
				counted !== undefined && counted.rows <= sharedMax ? counted.rows : sizeBytes / rowBytes;
		}
		return rows < first.rows ? undefined : Math.round(rows);
	} finally {
		await transaction.rollback();
	}
}
