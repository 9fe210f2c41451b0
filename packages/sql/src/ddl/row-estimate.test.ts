import { type Key, key, type Span } from "@quorate/keys/key";
import test from "ava";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { encodeId, indexSpan } from "../catalog/keys.ts";
import type { Builder } from "./fill.ts";
import { estimateRows } from "./row-estimate.ts";

const table = { primary: { indexId: 7 } } as TableDescriptor;
const whole = indexSpan(7);
const rowKey = (n: number): Key => key(whole.start + encodeId(n));
const value = new Uint8Array(83);
/** A row takes 100 bytes. */
const rowBytes = 100;

/** So many rows, in ranges that end there and claim to be of such sizes. `read`: rows that scans have given for it. */
async function estimate(rows: number, ranges: readonly (readonly [end: Key, sizeBytes: number])[]) {
	let read = 0;
	const scan = async function* ({ start, end }: Span) {
		for (let n = 0; n < rows; n++) {
			const at = rowKey(n);
			if (at < start || at >= end) continue;
			read++;
			yield [{ key: at, value }];
		}
	};
	const transaction = {
		...{ scan, beginStatement() {} },
		...{ readTimestamp: async () => ({}), rollback: async () => {} },
	};
	const statuses = ranges.map(([end, sizeBytes], i) => ({
		descriptor: { start: i === 0 ? key("") : ranges[i - 1]![0], end },
		leaseholder: 1,
		sizeBytes,
	}));
	const services = {
		catalog: { newest: async () => ({ version: 1 }) },
		coordinator: { begin: () => transaction, ranges: async () => statuses },
	};
	const rowsTotal = await estimateRows({ services, cancel: {} } as unknown as Builder, table);
	return { rowsTotal, read };
}

const after = key("\x03");

test("rows of a range that holds much else are counted", async (t) => {
	t.is((await estimate(20_000, [[after, 1e9]])).rowsTotal, 20_000);
	t.is((await estimate(9_000, [[after, 0]])).rowsTotal, 9_000);
});

test("of ranges that are all the table's the sizes tell", async (t) => {
	const { rowsTotal, read } = await estimate(30_000, [
		[rowKey(4_000), 1e9],
		[rowKey(24_000), 20_000 * rowBytes],
		[after, 1e9],
	]);
	t.is(rowsTotal, 30_000);
	// No more of all than tells that it is not small, and the two ranges that hold something else as well.
	t.is(read, 10_001 + 4_000 + 6_000);
});
