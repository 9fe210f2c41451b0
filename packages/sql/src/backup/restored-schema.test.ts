/** What a restored table has of changes that were on their way when the backup was taken. */
import test from "ava";
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { restoredTable } from "./restored-schema.ts";
import type { Work } from "./work.ts";

const column = (attnum: number, notNull: boolean): ColumnDescriptor => ({
	attnum,
	name: `c${attnum}`,
	type: { oid: 23, modifier: -1 },
	notNull,
	defaultText: undefined,
	identity: undefined,
	missingText: undefined,
	dropped: false,
});

const index = (oid: number, more: Partial<IndexDescriptor>): IndexDescriptor => ({
	oid,
	name: `i${oid}`,
	indexId: oid,
	columns: [],
	unique: true,
	state: "public",
	constraintOid: undefined,
	...more,
});

/** c1 was NOT NULL before, c2 is because of the primary key that is on its way. */
const table: TableDescriptor = {
	kind: "table",
	oid: 100,
	schema: "public",
	name: "t",
	columns: [column(1, true), column(2, true)],
	nextAttnum: 3,
	primary: index(101, {}),
	indexes: [],
	checks: [],
	foreignKeys: [],
	rewrite: undefined,
};

const keyColumns = [1, 2].map((attnum) => ({ attnum, descending: false }));
const numbers = new Map([100, 101, 102].map((oid) => [oid, oid + 1000]));

function restored(of: TableDescriptor) {
	const told: string[] = [];
	const work = { tell: (message: string) => told.push(message) } as unknown as Work;
	const { columns, indexes } = restoredTable(work, of, numbers);
	return { told, notNull: columns.map((one) => one.notNull), indexes: indexes.length };
}

test("a primary key that was on its way leaves no NOT NULL behind, and takes none away", (t) => {
	const deferrable = { initiallyDeferred: false, primaryKey: true };
	const building = { columns: keyColumns, unique: false, deferrable, madeNotNull: [2] };
	const later = restored({
		...table,
		indexes: [index(102, { ...building, state: "write-only" })],
	});
	t.deepEqual(later.notNull, [true, false]);
	t.is(later.indexes, 0);
	t.regex(later.told.join("\n"), /given a primary key at that time: NOT NULL of c2 is left out/);

	const primary = index(102, { columns: keyColumns });
	const rewritten = restored({ ...table, rewrite: { primary, indexes: [], madeNotNull: [2] } });
	t.deepEqual(rewritten.notNull, [true, false]);
	t.regex(rewritten.told.join("\n"), /keeps the one before, and NOT NULL of c2 is left out/);

	t.deepEqual(restored(table), { told: [], notNull: [true, true], indexes: 0 });
});
