/** About how many rows a table has: counted where they are few; else from the sizes of its ranges, by what its first rows take. */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { indexSpan } from "../catalog/keys.ts";
import { type Builder, beginSnapshot } from "./fill.ts";

const countedMax = 10_000;

/** Undefined: not known. Of ranges that hold other tables, too, their rows are counted with it. */
export async function estimateRows(
	state: Pick<Builder, "services">,
	table: TableDescriptor,
): Promise<number | undefined> {
	const span = indexSpan(table.primary.indexId);
	const transaction = await beginSnapshot(state);
	let rows = 0;
	let bytes = 0;
	try {
		for await (const page of transaction.scan(span, { limit: countedMax + 1 })) {
			rows += page.length;
			for (const { key, value } of page) bytes += key.length + value.byteLength;
			if (rows > countedMax) break;
		}
	} finally {
		await transaction.rollback();
	}
	if (rows <= countedMax) return rows;
	const ranges = await state.services.coordinator.ranges(span);
	const all = ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
	const estimate = Math.round((all / bytes) * rows);
	return estimate < rows ? undefined : estimate;
}
