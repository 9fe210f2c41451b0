/**
 * The end of building the index of a constraint that is DEFERRABLE: whether rows share a key in it. By now all rows have their entries, and
 * whoever writes one looks at the others of its key and has to commit before any other comes (`execute/unique-checks.ts`); so two rows that share a
 * key after the index was filled had their entries by then, and stand side by side in whatever is read of it later. It is read
 * from its beginning by whoever goes on.
 */
import type { Key } from "@quorate/keys/key";
import { keySuccessor } from "@quorate/keys/key";
import type { Transaction } from "@quorate/txn/types";
import { type IndexDescriptor, rewriteId, type TableDescriptor } from "../catalog/descriptor.ts";
import { indexSpan } from "../catalog/keys.ts";
import { entryTarget } from "../execute/index-codec.ts";
import { indexCodec, tableCodec } from "../execute/table-codec.ts";
import { isPassing, retrying } from "../session/retry.ts";
import type { Datum } from "../types/datum.ts";
import { duplicated } from "./create-index.ts";
import { type Builder, begin, gone, tableAt } from "./fill.ts";

/** Entries that are read in one transaction. */
const readAtOnce = 5000;

/** Where the next read goes on, and the beginning that the entry before it has. */
interface Place {
	readonly from: Key | undefined;
	readonly start: string;
}

/** Throws 23505. Of other indexes there is nothing to be said. */
export async function checkShared(state: Builder, oid: number, id: number): Promise<void> {
	let place: Place | undefined = { from: undefined, start: "" };
	while (place !== undefined) {
		if (state.cancel.reason !== undefined) throw state.cancel.reason;
		const at: Place = place;
		place = await retrying(state.services.runtime, () => checkSome(state, oid, id, at), isPassing);
	}
}

async function checkSome(
	state: Builder,
	oid: number,
	id: number,
	{ from, start }: Place,
): Promise<Place | undefined> {
	const transaction = await begin(state, false, state.cancel);
	try {
		const table = await tableAt(state, transaction, oid);
		if (table?.rewrite !== undefined && rewriteId(table.rewrite) === id) return undefined;
		const index = table?.indexes.find((one) => one.oid === id);
		if (table === undefined || index === undefined) throw gone();
		if (index.deferrable === undefined) return undefined;
		const whole = indexSpan(index.indexId);
		const span = { start: from ?? whole.start, end: whole.end };
		let count = 0;
		let before = start;
		let looked = "";
		let last: Key | undefined;
		for await (const page of transaction.scan(span, { limit: readAtOnce })) {
			for (const { key, value } of page) {
				// The primary key's bytes are what an entry ends with.
				const own = key.slice(0, key.length - value.byteLength);
				if (own === before && own !== looked) {
					await refuse(state, transaction, table, index, value);
					looked = own;
				}
				before = own;
				last = key;
			}
			count += page.length;
			if (count >= readAtOnce) return { from: keySuccessor(last!), start: before };
		}
		return undefined;
	} finally {
		await transaction.rollback();
	}
}

/** Rows of which one has the same columns as another. That is no fault where one of them is NULL. Throws 23505. */
async function refuse(
	state: Builder,
	transaction: Transaction,
	table: TableDescriptor,
	index: IndexDescriptor,
	entry: Uint8Array,
): Promise<void> {
	const codec = tableCodec(table);
	const [value] = await transaction.get([entryTarget(codec.primaryPrefix, entry)]);
	if (value === undefined) return;
	const row: Datum[] = new Array(codec.row.width);
	codec.row.decode(value, row, 0, undefined);
	if (indexCodec(table, index).sharedKey(row) === undefined) return;
	throw duplicated(table, index, row, state.context);
}
