/** TO BE REPLACED by the implementation: the contract of types with the binder, the executor and the protocol server. */
import type { Datum, SqlType } from "./datum.ts";

/** What conversions depend on: session settings. */
export interface TypeContext {
	/** IANA name. */
	readonly timeZone: string;
	/** As SHOW datestyle: only ISO is produced. */
	readonly dateStyle: string;
	readonly extraFloatDigits: number;
	readonly byteaOutput: "hex" | "escape";
	/** Start of the transaction, microseconds since 2000-01-01 UTC: for 'now'::timestamptz. */
	readonly transactionStart: bigint;
}

export interface TypeDefinition {
	readonly oid: number;
	/** pg_type.typname: int4, varchar, bpchar ... */
	readonly name: string;
	/** format_type's name: integer, character varying ... */
	readonly sqlName: string;
	/** Bytes, or -1. */
	readonly length: number;
	/** pg_type.typcategory. */
	readonly category: string;
	readonly preferred: boolean;
	/** OID of the array type, or 0; of the element type, or 0. */
	readonly arrayOid: number;
	readonly elementOid: number;
	/** Text input; throws DatabaseError 22P02 and its kin with PostgreSQL's wording. */
	parse(text: string, modifier: number, context: TypeContext): Datum;
	/** Text output. Never called with null. */
	format(value: Datum, context: TypeContext): string;
	/** Binary send and receive as PostgreSQL's typsend, typreceive. */
	encodeBinary(value: Datum, context: TypeContext): Uint8Array;
	decodeBinary(bytes: Uint8Array, modifier: number): Datum;
	/** Total order, as btree's; NaN above all, no nulls. */
	compare(a: Datum, b: Datum): number;
	/** Order-preserving and self-delimiting bytes (a binary string, see keys/key) and their inverse; undefined where the type cannot be a key. */
	readonly keyCodec:
		| {
				encode(value: Datum): string;
				decode(bytes: string, offset: number): { readonly value: Datum; readonly next: number };
		  }
		| undefined;
}

export declare function typeByOid(oid: number): TypeDefinition | undefined;
/** By pg_type name or SQL alias, folded. */
export declare function typeByName(name: string): TypeDefinition | undefined;
export declare function allTypes(): readonly TypeDefinition[];
/** int4, character varying(10), numeric(8,2)[] ... as format_type(oid, modifier). */
export declare function formatType(type: SqlType): string;
/** Applies varchar(n), char(n), numeric(p,s): pads, rounds or throws 22001, 22003. `explicit`: a cast truncates silently. */
export declare function applyModifier(value: Datum, type: SqlType, explicit: boolean): Datum;

/** How a value of one type becomes another. `implicit`: anywhere; `assignment`: into columns; `explicit`: casts only. */
export interface CastDefinition {
	readonly context: "implicit" | "assignment" | "explicit";
	apply(value: Datum, target: SqlType, context: TypeContext): Datum;
}
export declare function findCast(from: number, to: number): CastDefinition | undefined;

/** What a function body may ask of its session. Values that depend on the session only; data access goes through the executor. */
export interface FunctionContext extends TypeContext {
	readonly statementStart: bigint;
	/** Microseconds since 2000-01-01 UTC, now. */
	clockNow(): bigint;
	readonly currentUser: string;
	readonly sessionUser: string;
	readonly currentDatabase: string;
	readonly searchPath: readonly string[];
	random(): number;
	randomBytes(count: number): Uint8Array;
	readonly backendPid: number;
	setting(name: string): string | undefined;
	setSetting(name: string, value: string, local: boolean): string;
	/** Catalog lookups for reg* casts, pg_get_*def, to_regclass, pg_table_is_visible ...: by name, answered by packages/sql/src/catalog. */
	catalogCall(name: string, args: readonly Datum[]): Datum;
	/** nextval, currval, setval, lastval. */
	sequenceCall(name: string, args: readonly Datum[]): Datum | Promise<Datum>;
}

export interface ScalarFunction {
	readonly name: string;
	/** OIDs; anyelement 2283, anyarray 2277, any 2276. The last repeats if `variadic`. */
	readonly args: readonly number[];
	readonly variadic: boolean;
	readonly result: number;
	/** NULL in, NULL out, without a call. */
	readonly strict: boolean;
	/** immutable ones are folded on constants at plan time. */
	readonly volatility: "immutable" | "stable" | "volatile";
	/** May return a promise only if `async`. */
	readonly async: boolean;
	call(
		args: readonly Datum[],
		context: FunctionContext,
		argTypes: readonly SqlType[],
	): Datum | Promise<Datum>;
}

export interface AggregateFunction {
	readonly name: string;
	readonly args: readonly number[];
	readonly result: number;
	/** A fresh accumulator. `step` gets the arguments of one row; strict ones skip NULLs before it. */
	create(argTypes: readonly SqlType[]): { step(args: readonly Datum[]): void; result(): Datum };
	readonly strict: boolean;
}

/** Set-returning: generate_series, unnest, generate_subscripts ... */
export interface SetFunction {
	readonly name: string;
	readonly args: readonly number[];
	readonly columns: readonly { readonly name: string; readonly oid: number }[];
	call(
		args: readonly Datum[],
		context: FunctionContext,
		argTypes: readonly SqlType[],
	): Iterable<readonly Datum[]>;
}

/** Operators are functions named by their symbol, with one or two arguments. */
export declare function scalarCandidates(name: string): readonly ScalarFunction[];
export declare function operatorCandidates(symbol: string, arity: 1 | 2): readonly ScalarFunction[];
export declare function aggregateCandidates(name: string): readonly AggregateFunction[];
export declare function setCandidates(name: string): readonly SetFunction[];

/**
 * PostgreSQL's rules of type resolution (manual, chapter 10): exact match, then implicit casts, preferred types, unknown literals.
 * `argTypes` has 705 (unknown) for untyped literals and 0 for parameters without a type yet. Throws 42883 or 42725 with PostgreSQL's words.
 */
export declare function resolve<T extends { readonly args: readonly number[] }>(
	what: "function" | "operator",
	name: string,
	candidates: readonly T[],
	argTypes: readonly number[],
	at: number,
): { readonly chosen: T; readonly argTypes: readonly number[]; readonly resultType: number };
/** Common type of UNION, CASE, IN, VALUES (chapter 10.5). Throws 42804. */
export declare function commonType(types: readonly number[], construct: string, at: number): number;
