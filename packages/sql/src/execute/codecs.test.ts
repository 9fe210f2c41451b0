import type { Key } from "@quorate/keys/key";
import test from "ava";
import fc from "fast-check";
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";
import { entryTarget, entryValue, IndexCodec } from "./index-codec.ts";
import { RowCodec } from "./row-codec.ts";

const column = (attnum: number, oid: number, extra: Partial<ColumnDescriptor> = {}) =>
	({
		attnum,
		name: `c${attnum}`,
		type: { oid, modifier: -1 },
		notNull: false,
		defaultText: undefined,
		identity: undefined,
		missingText: undefined,
		dropped: false,
		...extra,
	}) satisfies ColumnDescriptor;

const index = (
	indexId: number,
	columns: IndexDescriptor["columns"],
	unique: boolean,
): IndexDescriptor => ({
	oid: indexId + 1000,
	name: `i${indexId}`,
	indexId,
	columns,
	unique,
	state: "public",
	constraintOid: undefined,
});

const table = (columns: readonly ColumnDescriptor[], indexes: IndexDescriptor[] = []) =>
	({
		kind: "table",
		oid: 1,
		schema: "public",
		name: "t",
		columns,
		nextAttnum: columns.length + 1,
		primary: index(7, [{ attnum: 1, descending: false }], true),
		indexes,
		checks: [],
		foreignKeys: [],
		rewrite: undefined,
	}) satisfies TableDescriptor;

const int4 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Without NUL and lone surrogates, which no text has. */
const text = fc
	.string({ unit: "binary" })
	.map((s) => Buffer.from(s.replaceAll("\0", ""), "utf8").toString("utf8"));
const or = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values);

test("rows survive encoding", (t) => {
	const oids = [23, 20, 25, 16, 701, 17, 1082, 1700, 1007];
	const codec = new RowCodec(table(oids.map((oid, i) => column(i + 1, oid))));
	const numeric = typeByOid(1700)!;
	const context = {
		timeZone: "UTC",
		dateStyle: "ISO, MDY",
		extraFloatDigits: 1,
		byteaOutput: "hex",
		transactionStart: 0n,
	} as const;
	const row = fc.tuple(
		int4,
		or(int8),
		or(text),
		or(fc.boolean()),
		or(fc.double()),
		or(fc.uint8Array()),
		or(fc.oneof(fc.integer({ min: -100000, max: 100000 }), fc.constant(Number.POSITIVE_INFINITY))),
		or(fc.constantFrom("1.50", "0", "-12345678901234567890.123", "NaN")),
		or(fc.array(fc.option(int4))),
	);
	fc.assert(
		fc.property(row, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), (values, wanted) => {
			const datums: Datum[] = values.map((value, i): Datum => {
				if (value === null) return null;
				if (i === 7) return numeric.parse(value as string, -1, context);
				if (i === 8) return { kind: "array", elements: value as Datum[], lower: 1 };
				return value as Datum;
			});
			const bytes = codec.encode(datums);
			const all: Datum[] = [];
			codec.decode(bytes, all, 0, undefined);
			t.deepEqual(
				all.map((value, i) => shown(oids[i]!, value)),
				datums.map((value, i) => shown(oids[i]!, value)),
			);
			const some: Datum[] = ["before"];
			codec.decode(bytes, some, 1, wanted);
			for (const [i, value] of datums.entries()) {
				t.is(shown(oids[i]!, some[i + 1]!), wanted[i] === true ? shown(oids[i]!, value) : "null");
			}
		}),
	);
	function shown(oid: number, value: Datum): string {
		return value === null ? "null" : typeByOid(oid)!.format(value, context);
	}
});

test("columns that a reader does not know are stepped over, added ones have their missing value", (t) => {
	const before = table([column(1, 23), column(2, 25), column(3, 701), column(4, 16)]);
	const bytes = new RowCodec(before).encode([5, "five", 0.5, true]);
	const after = table([
		column(1, 23),
		column(2, 25, { dropped: true }),
		column(3, 701),
		column(4, 16),
		column(5, 25, { missingText: "was not there" }),
	]);
	const codec = new RowCodec(after);
	const row: Datum[] = [];
	codec.decode(bytes, row, 0, undefined);
	t.deepEqual(row, [5, 0.5, true, "was not there"]);
	codec.decode(codec.encode([5, 0.5, true, null]), row, 0, undefined);
	t.deepEqual(row, [5, 0.5, true, null]);
});

test("char(n) is stored without the blanks at its end, where the table says so", (t) => {
	const columns = [column(1, 23), column(2, 1042, { type: { oid: 1042, modifier: 4 + 6 } })];
	const [padded, unpadded] = [false, true].map(
		(is) => new RowCodec({ ...table(columns), ...(is && { unpadded: true as const }) }),
	) as [RowCodec, RowCodec];
	for (const text of ["ab    ", "      ", "abcdef", " é😀   "]) {
		const row: Datum[] = [];
		const bytes = unpadded.encode([1, text]);
		t.is(padded.encode([1, text]).length - bytes.length, text.length - text.trimEnd().length);
		unpadded.decode(bytes, row, 0, undefined);
		t.deepEqual(row, [1, text]);
	}
});

test("an owner stays beside the columns", (t) => {
	const codec = new RowCodec(table([column(1, 23), column(2, 25)]));
	const bytes = codec.encode([1, "x"], "\x00\xffowner");
	t.is(codec.ownerOf(bytes), "\x00\xffowner");
	t.is(codec.ownerOf(codec.encode([1, "x"])), undefined);
	const row: Datum[] = [];
	codec.decode(bytes, row, 0, undefined);
	t.deepEqual(row, [1, "x"]);
});

test("entries order as their columns, NULLs last or, descending, first", (t) => {
	for (const descending of [false, true]) {
		const columns = [
			{ attnum: 2, descending },
			{ attnum: 3, descending: false },
		];
		const secondary = index(8, columns, false);
		const described = table([column(1, 23), column(2, 25), column(3, 23)], [secondary]);
		const codec = new IndexCodec(described, secondary);
		const primary = new IndexCodec(described, described.primary);
		const compareText = typeByOid(25)!.compare;
		const rows = fc.tuple(int4, or(text), or(int4));
		fc.assert(
			fc.property(rows, rows, (a, b) => {
				const key = (row: readonly Datum[]): Key => codec.entryKey(row, primary.primaryKey(row))!;
				const order = (x: Datum, y: Datum, compare: (x: Datum, y: Datum) => number): number => {
					if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
					return compare(x, y);
				};
				const byText = order(a[1], b[1], compareText) * (descending ? -1 : 1);
				const expected =
					byText || order(a[2], b[2], (x, y) => Number(x) - Number(y)) || Math.sign(a[0] - b[0]);
				const [x, y] = [key(a), key(b)];
				t.is(x < y ? -1 : x > y ? 1 : 0, Math.sign(expected));
			}),
		);
	}
});

test("an entry leads to its row", (t) => {
	const described = table([column(1, 23)]);
	const primary = new IndexCodec(described, described.primary);
	fc.assert(
		fc.property(int4, (id) => {
			const key = primary.primaryKey([id]);
			t.is(entryTarget(primary.prefix, entryValue(key)), key);
		}),
	);
});
