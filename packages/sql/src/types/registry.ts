/**
 * Types, casts, operators and functions: the contract with the binder, the executor and the protocol server.
 *
 * 1. A type's `compare`, its comparison operators and its `keyCodec` agree: equal values have equal keys.
 * 2. A value handed to a type, cast or function has the JavaScript shape that `datum.ts` gives its type; nothing here looks at
 *    anything but its arguments and the context passed in.
 * 3. Whatever a client's text or bytes hold, the answer is a value or a `DatabaseError` with PostgreSQL's SQLSTATE.
 * 4. No pattern, format or literal costs more than about the product of its length and the text's.
 *
 * Left out: ranges, bit strings, network and geometric types (`unsupportedType` knows their names),
 * collations other than C.
 * May import: @quorate/keys only.
 */
import type { ClusterActivity, NodeChange } from "./cluster-access.ts";
import type { Datum, RowField, SqlType } from "./datum.ts";
import type { IntervalStyle } from "./interval-text.ts";

/** What conversions depend on: session settings. */
export interface TypeContext {
	/** IANA name. */
	readonly timeZone: string;
	/** As SHOW DateStyle. */
	readonly dateStyle: string;
	/** Undefined: postgres. */
	readonly intervalStyle?: IntervalStyle | undefined;
	readonly extraFloatDigits: number;
	readonly byteaOutput: "hex" | "escape";
	/** Start of the transaction, microseconds since 2000-01-01 UTC: for 'now'::timestamptz. */
	readonly transactionStart: bigint;
	/**
	 * Names of regclass, regproc, regtype, regnamespace, regrole: `regclassin`(text) and `regclassout`(oid) ..., as in
	 * `FunctionContext`; labels of enums: `enum_in`(type, label), `enum_out`(type, value).
	 */
	readonly catalogCall?: (name: string, args: readonly Datum[]) => Datum;
	/** Of a composite type, or of the row type of a table or view: what `catalogCall` does not tell in one value. Throws 42704. */
	readonly rowFields?: (oid: number) => readonly RowField[];
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
	decodeBinary(bytes: Uint8Array, modifier: number, context: TypeContext): Datum;
	/** Total order, as btree's; NaN above all, no nulls. Throws 42883 where the type has none. */
	compare(a: Datum, b: Datum): number;
	/** False: it has no order and no equality. */
	readonly comparable: boolean;
	/** Order-preserving and self-delimiting bytes (a binary string, see keys/key) and their inverse; undefined where the type cannot be a key. */
	readonly keyCodec:
		| {
				encode(value: Datum): string;
				decode(bytes: string, offset: number): { readonly value: Datum; readonly next: number };
				/** Equal values may look different (1.0, 1.00): decode gives one of them, so the row has to store its own. */
				readonly lossy: boolean;
		  }
		| undefined;
}

/** How a value of one type becomes another. `implicit`: anywhere; `assignment`: into columns; `explicit`: casts only. */
export interface CastDefinition {
	readonly context: "implicit" | "assignment" | "explicit";
	/** Never called with null. Leaves `target.modifier` to `applyModifier`. */
	apply(value: Datum, target: SqlType, context: TypeContext): Datum;
	/** The value stays as it is. */
	readonly binaryCoercible: boolean;
}

/** What a function body may ask of its session. Values that depend on the session only; data access goes through the executor. */
export interface FunctionContext extends TypeContext {
	readonly statementStart: bigint;
	/** Microseconds since 2000-01-01 UTC, now. */
	clockNow(): bigint;
	readonly currentUser: string;
	readonly sessionUser: string;
	/** OID of the role that the session acts as. */
	readonly currentRole: number;
	readonly currentDatabase: string;
	readonly searchPath: readonly string[];
	/** Of `searchPath`, what it has although search_path does not name it: the session's temporary schema. */
	readonly implicitSchema?: string | undefined;
	random(): number;
	/** What `random` gives from now on follows from a number from -1 to 1. */
	seedRandom(seed: number): void;
	randomBytes(count: number): Uint8Array;
	readonly backendPid: number;
	setting(name: string): string | undefined;
	setSetting(name: string, value: string, local: boolean): string;
	/** Catalog lookups for reg* casts, pg_get_*def, to_regclass, pg_table_is_visible ...: by name, answered by packages/sql/src/catalog. */
	readonly catalogCall: (name: string, args: readonly Datum[]) => Datum;
	readonly rowFields: (oid: number) => readonly RowField[];
	/** nextval, currval, setval, lastval; and "draw": as nextval, but of no account to whoever draws. */
	sequenceCall(name: string, args: readonly Datum[]): Datum | Promise<Datum>;
	/** Where a sequence stands now: `called`: nextval goes on from `last`, else begins with it. */
	sequenceState(oid: number): Promise<{ readonly last: bigint; readonly called: boolean }>;
	/** pg_advisory_lock and its kin. */
	advisoryCall(name: string, args: readonly Datum[]): Promise<Datum>;
	/** Tells of something when the transaction commits. */
	notify(channel: string, payload: string): void;
	listeningChannels(): readonly string[];
	/** Cursors that the session has declared, what it has prepared, and its settings: rows of those views. */
	sessionRows(
		view: "pg_cursors" | "pg_prepared_statements" | "pg_settings",
	): readonly Readonly<Record<string, Datum>>[];
	/** How full the queue for slow listeners is, from 0 to 1. */
	notificationUsage(): number;
	/** What all nodes are doing; the client is warned of those that do not answer. */
	clusterActivity(withAdvisory?: boolean): Promise<ClusterActivity>;
	/** pg_cancel_backend, pg_terminate_backend: false, and a warning, where there is no such session. */
	signalBackend(process: number, what: "cancel" | "terminate"): Promise<boolean>;
	/** Nodes, ranges and what the scheduler does, as the control plane knows them. */
	clusterOverview(): Promise<ClusterActivity>;
	/** What all nodes have run; the client is warned of those that do not answer. */
	clusterStatements(): Promise<ClusterActivity>;
	changeNode(node: number, change: NodeChange): Promise<void>;
	/** The oracle's timestamp at which the transaction reads, and that of the session's last commit: NULL before there is one. */
	timestampCall(which: "read" | "commit" | "export"): Promise<Datum>;
	/** A number that no other transaction has, drawn when it is first asked for; not `drawn`: NULL where it was not. */
	transactionNumber(drawn: boolean): Promise<Datum>;
	/** pg_sleep. Rejects with 57014 if the statement is cancelled meanwhile. */
	sleep(ms: number): Promise<void>;
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
	/** One call may take as long as thousands of others: before it the statement looks whether its time slice is over. */
	readonly slow?: boolean;
	/** Trailing arguments that may be left out: the call gets fewer. */
	readonly optional: number;
	call(
		args: readonly Datum[],
		context: FunctionContext,
		argTypes: readonly SqlType[],
	): Datum | Promise<Datum>;
	/** The same for strict functions of one or two arguments that need no context: spares the list. Never called with null. */
	readonly direct: ((a: Datum, b: Datum) => Datum) | undefined;
}

export interface AggregateFunction {
	readonly name: string;
	readonly args: readonly number[];
	readonly result: number;
	/** A fresh accumulator. `step` gets the arguments of one row; strict ones skip NULLs before it. `order`: of WITHIN GROUP. */
	create(
		argTypes: readonly SqlType[],
		order?: readonly { readonly descending: boolean; readonly nullsFirst: boolean }[],
	): { step(args: readonly Datum[], context: TypeContext): void; result(): Datum };
	readonly strict: boolean;
	/** Its state grows with each row. */
	readonly keeps?: boolean;
}

/**
 * Called with WITHIN GROUP. `args` and those of a step are the direct arguments, which are the same for all rows of a group, and
 * then the keys of the order, by which the rows come sorted.
 */
export interface OrderedSetFunction extends AggregateFunction {
	/** How many are direct. Hypothetical ones take as many as there are keys, of any type. */
	readonly direct: number | "hypothetical";
}

/** Rows of one partition of a window, in its order. What is said of a row is by its place among them. */
export interface WindowPartition {
	readonly size: number;
	/** The arguments of the call, by row. */
	readonly args: readonly (readonly Datum[])[];
	/** Of rows that the order does not tell apart: [first, behind the last). */
	peersOf(row: number): readonly [from: number, to: number];
	/** How many such groups are before that of the row. */
	peersBefore(row: number): number;
	/** What the frame of a row holds, in order; none of the parts is empty. */
	frameOf(row: number): readonly (readonly [from: number, to: number])[];
}

/** row_number, lag ...: only with OVER. */
export interface WindowFunction {
	readonly name: string;
	readonly args: readonly number[];
	readonly optional: number;
	readonly result: number;
	value(partition: WindowPartition, row: number): Datum;
}

/** Set-returning: generate_series, unnest, generate_subscripts ... */
export interface SetFunction {
	readonly name: string;
	readonly args: readonly number[];
	readonly columns: readonly { readonly name: string; readonly oid: number }[];
	/** Of records: their columns are those that the query lists. */
	withColumns?(columns: readonly { readonly name: string; readonly type: SqlType }[]): SetFunction;
	/** Called with NULLs, too. */
	readonly nullable?: boolean;
	/** Never called with a null argument unless `nullable`: those give no rows. */
	call(
		args: readonly Datum[],
		context: FunctionContext,
		argTypes: readonly SqlType[],
	): Iterable<readonly Datum[]>;
}

export {
	aggregateCandidates,
	allFunctions,
	operatorCandidates,
	orderedSetCandidates,
	scalarCandidates,
	setCandidates,
	windowCandidates,
} from "../functions/table.ts";
export { findCast } from "./casts.ts";
export { commonType } from "./common-type.ts";
export { resolve } from "./resolve.ts";
export {
	allTypes,
	applyModifier,
	castName,
	formatType,
	packModifier,
	storedType,
	typeByName,
	typeByOid,
	unsupportedType,
} from "./type-table.ts";
