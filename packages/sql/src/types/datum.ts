/**
 * Values at run time. One JavaScript shape a type:
 * null: SQL NULL; boolean: bool; number: int2, int4, oid and its kin (xid, regclass, regtype ...: the OID), float4, float8, date
 * (days since 2000-01-01, +-Infinity for infinity);
 * bigint: int8, timestamp and timestamptz (microseconds since 2000-01-01 UTC; the int64 extremes are +-infinity), time;
 * `Numeric`: numeric; string: an enum's value, as its sort key; `JsonbValue`: jsonb; `JsonPath`: jsonpath; string: text, varchar, bpchar (padded), name, uuid (canonical lower case), "char", unknown, json, void ("");
 * Uint8Array: bytea; `Interval`; `TimeTz`: time with time zone; `ArrayValue`: any array, also int2vector and oidvector; `RowValue`: a row.
 */
import type { JsonbValue } from "./json-value.ts";
import type { JsonPath } from "./jsonpath/path.ts";
import type { Numeric } from "./numeric.ts";

export interface Interval {
	readonly kind: "interval";
	readonly months: number;
	readonly days: number;
	readonly microseconds: bigint;
}

/** time with time zone. */
export interface TimeTz {
	readonly kind: "timetz";
	/** Of the day, where it is. */
	readonly micros: bigint;
	/** Seconds east of UTC. */
	readonly offset: number;
}

export interface ArrayValue {
	readonly kind: "array";
	/** Of a multidimensional array: `ArrayValue`s of equal length and bounds. */
	readonly elements: readonly Datum[];
	/** Lower bound, 1 unless said otherwise. */
	readonly lower: number;
}

export interface RowValue {
	readonly kind: "row";
	readonly fields: readonly Datum[];
	/** OIDs of the fields' types, since a record's type does not say them. Without them the fields' shapes decide. */
	readonly types?: readonly number[];
	/** Of a table's row: the names of its columns. Without them the fields are f1, f2 ... */
	readonly names?: readonly string[];
}

export type Datum =
	| null
	| boolean
	| number
	| bigint
	| string
	| Uint8Array
	| Numeric
	| Interval
	| TimeTz
	| ArrayValue
	| RowValue
	| JsonbValue
	| JsonPath;

/** A type as PostgreSQL knows it: its OID in pg_type, and the modifier (-1: none; varchar(n) has n + 4, numeric as PostgreSQL packs it). */
export interface SqlType {
	readonly oid: number;
	readonly modifier: number;
	/** OID of the domain that a value of the type was made for. The value is one of the base type, which the others name. */
	readonly domain?: number;
	/** Of a record: which fields it has, where that is known. */
	readonly fields?: readonly RowField[];
}

/** A field of a row, or an attribute of a composite type. */
export interface RowField {
	readonly name: string;
	readonly type: SqlType;
}
