/** What a session knows: users, settings, versions, types. */
import { DatabaseError } from "@quorate/keys/database-error";
import { withSystem } from "../catalog/schema.ts";
import { blockingProcesses } from "../types/activity-waits.ts";
import { arrayOf } from "../types/array-values.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import {
	compareNumeric,
	formatNumeric,
	type Numeric,
	numericFromNumber,
} from "../types/numeric.ts";
import { absolute, truncate } from "../types/numeric-arithmetic.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { formatType, typeByOid } from "../types/type-table.ts";
import { asynchronous, contextual, nullable, pure, stable, volatile } from "./definition.ts";

/** With pg_catalog and temporary objects, which come first unless the path names them, or without. */
const schemas = (
	{ searchPath, implicitSchema }: FunctionContext,
	implicit: boolean,
): readonly string[] =>
	implicit ? withSystem(searchPath) : searchPath.filter((name) => name !== implicitSchema);

function currentSetting(
	name: string,
	missingIsNull: boolean,
	context: FunctionContext,
): string | null {
	const value = context.setting(name);
	if (value === undefined && !missingIsNull) {
		throw new DatabaseError("42704", `unrecognized configuration parameter "${name}"`);
	}
	return value ?? null;
}

const version = (context: FunctionContext): string =>
	`PostgreSQL ${context.setting("server_version") ?? "15.0 (Quorate)"} on Node.js, 64-bit`;

const users: ScalarFunction[] = [
	...["current_user", "user", "current_role"].map((name) =>
		contextual(`${name}() -> name`, stable, (_args, c) => c.currentUser),
	),
	contextual("session_user() -> name", stable, (_args, c) => c.sessionUser),
	contextual("current_database() -> name", stable, (_args, c) => c.currentDatabase),
	contextual("current_catalog() -> name", stable, (_args, c) => c.currentDatabase),
	contextual("current_schema() -> name", stable, (_args, c) => schemas(c, false)[0] ?? null),
	contextual("current_schemas(bool) -> _name", stable, ([implicit], c) =>
		arrayOf(schemas(c, implicit as boolean)),
	),
];

const settings: ScalarFunction[] = [
	contextual("current_setting(text) -> text", stable, ([name], c) =>
		currentSetting(name as string, false, c),
	),
	contextual("current_setting(text, bool) -> text", stable, ([name, missing], c) =>
		currentSetting(name as string, missing as boolean, c),
	),
	contextual(
		"set_config(text, text, bool) -> text",
		{ volatility: "volatile", strict: false },
		([name, value, local], c) => {
			if (name === null) {
				throw new DatabaseError("22004", "SET requires parameter name");
			}
			return c.setSetting(name as string, (value ?? "") as string, local === true);
		},
	),
	contextual("version() -> text", stable, (_args, c) => version(c)),
];

/** NULL for what is no type's name. */
function toRegtype(name: string, context: FunctionContext): Datum {
	try {
		return typeByOid(OID.regtype)?.parse(name, -1, context) ?? null;
	} catch (error) {
		if (error instanceof DatabaseError) {
			return null;
		}
		throw error;
	}
}

/** As a value of PostgreSQL's in memory, with the four bytes of its length: what is stored of it here is shorter. */
function sizeOf(value: Datum, sqlType: SqlType | undefined, context: FunctionContext): number {
	const type = sqlType && typeByOid(sqlType.oid);
	if (type === undefined) throw invalidParameter("could not determine data type");
	if (type.length > 0) return type.length;
	// Of a constant without a type, with the byte that ends it.
	if (type.oid === OID.unknown) return Buffer.byteLength(value as string) + 1;
	if (type.oid !== OID.numeric) return 4 + type.encodeBinary(value, context).length;
	// On the wire there are eight bytes before the digits, in memory two.
	return 4 + type.encodeBinary(value, context).length - 6;
}

const types: ScalarFunction[] = [
	contextual("to_regtype(text) -> regtype", stable, ([name], c) => toRegtype(name as string, c)),
	contextual(
		"pg_typeof(any) -> regtype",
		{ ...nullable, volatility: "stable" },
		(_args, _c, argTypes) => argTypes[0]?.domain ?? argTypes[0]?.oid ?? 0,
	),
	contextual(
		"pg_column_size(any) -> int4",
		{ ...nullable, volatility: "stable" },
		([value], c, argTypes) =>
			value === null || value === undefined ? null : sizeOf(value, argTypes[0], c),
	),
	contextual(
		"format_type(oid, int4) -> text",
		{ ...nullable, volatility: "stable" },
		([oid, modifier], c) => {
			// bpchar without a length is not SQL's character, which has length 1.
			if (oid === OID.bpchar && modifier !== null && (modifier as number) < 0) {
				return "bpchar";
			}
			if (oid === null) return null;
			const number = oid as number;
			return number >= 0x1_0000 || (number !== 0 && typeByOid(number) === undefined)
				? (c.catalogCall("format_type", [number]) ?? "???")
				: formatType({ oid: number, modifier: (modifier as number | null) ?? -1 });
		},
	),
];

/** Units of pg_size_pretty: name, the size up to which it serves. The ones after bytes are counted in halves and rounded. */
const sizeUnits = ["bytes", "kB", "MB", "GB", "TB", "PB"];

function prettySize(bytes: bigint): string {
	let size = bytes;
	for (const [i, unit] of sizeUnits.entries()) {
		const magnitude = size < 0n ? -size : size;
		const limit = i === 0 ? 10_240n : 20_479n;
		if (magnitude < limit || i === sizeUnits.length - 1) {
			return i === 0 ? `${size} bytes` : `${(size + (size < 0n ? -1n : 1n)) / 2n} ${unit}`;
		}
		size /= i === 0 ? 512n : 1024n;
	}
	throw invalidParameter("size out of range");
}

function prettyNumericSize(size: Numeric): string {
	if (compareNumeric(absolute(size), numericFromNumber(10_240)) < 0) {
		return `${formatNumeric(size)} bytes`;
	}
	return prettySize(truncate(size, 0).unscaled);
}

const sleepless: ScalarFunction[] = [
	pure("pg_size_pretty(int8) -> text", prettySize),
	pure("pg_size_pretty(numeric) -> text", prettyNumericSize),
	contextual("pg_backend_pid() -> int4", stable, (_args, c) => c.backendPid),
	contextual("pg_is_in_recovery() -> bool", volatile, () => false),
	contextual("pg_trigger_depth() -> int4", stable, () => 0),
	contextual("pg_jit_available() -> bool", volatile, () => false),
	contextual("row_security_active(oid) -> bool", stable, () => false),
	contextual("row_security_active(text) -> bool", stable, ([name], c) => {
		c.catalogCall("regclassin", [name as string]);
		return false;
	}),
	contextual("pg_get_function_arg_default(oid, int4) -> text", stable, () => null),
	contextual("pg_my_temp_schema() -> oid", stable, (_args, c) =>
		c.catalogCall("pg_my_temp_schema", []),
	),
	contextual("pg_is_other_temp_schema(oid) -> bool", stable, () => false),
	contextual("pg_client_encoding() -> name", stable, () => "UTF8"),
	contextual("getdatabaseencoding() -> name", stable, () => "UTF8"),
];

/** Sequences are the executor's: they write. */
const sequences: ScalarFunction[] = [
	"nextval(regclass) -> int8",
	"currval(regclass) -> int8",
	"lastval() -> int8",
	"pg_sequence_last_value(regclass) -> int8",
	"setval(regclass, int8) -> int8",
	"setval(regclass, int8, bool) -> int8",
].map((text) => {
	const name = text.slice(0, text.indexOf("("));
	return asynchronous(text, (args: readonly Datum[], c) => c.sequenceCall(name, args));
});

/** Advisory locks are the session's, by one bigint or two ints. */
const advisory: ScalarFunction[] = [
	...["", "try_"].flatMap((attempt) =>
		["", "xact_"].flatMap((level) =>
			["lock", "lock_shared"].flatMap((mode) =>
				["int8", "int4, int4"].map(
					(args) =>
						`pg_${attempt}advisory_${level}${mode}(${args}) -> ${attempt === "" ? "void" : "bool"}`,
				),
			),
		),
	),
	...["unlock", "unlock_shared"].flatMap((what) =>
		["int8", "int4, int4"].map((args) => `pg_advisory_${what}(${args}) -> bool`),
	),
	"pg_advisory_unlock_all() -> void",
].map((text) => {
	const name = text.slice(0, text.indexOf("("));
	return asynchronous(text, (args: readonly Datum[], c) => c.advisoryCall(name, args));
});

const notifications: ScalarFunction[] = [
	contextual(
		"pg_notify(text, text) -> void",
		{ volatility: "volatile", strict: false },
		([channel, payload], c) => {
			c.notify((channel ?? "") as string, (payload ?? "") as string);
			return "";
		},
	),
	contextual("pg_notification_queue_usage() -> float8", volatile, (_args, c) =>
		c.notificationUsage(),
	),
];

const backends: ScalarFunction[] = [
	asynchronous("pg_cancel_backend(int4) -> bool", ([process], c) =>
		c.signalBackend(process as number, "cancel"),
	),
	asynchronous("pg_terminate_backend(int4) -> bool", ([process], c) =>
		c.signalBackend(process as number, "terminate"),
	),
	asynchronous("pg_terminate_backend(int4, int8) -> bool", ([process, timeoutMs], c) => {
		if ((timeoutMs as bigint) < 0n) throw invalidParameter('"timeout" must not be negative');
		return terminate(process as number, Number(timeoutMs), c);
	}),
	asynchronous("pg_blocking_pids(int4) -> _int4", async ([process], c) =>
		arrayOf(blockingProcesses(await c.clusterActivity(), process as number)),
	),
];

/** What an operator does about a node: see quorate_nodes for what comes of it. */
const nodes: ScalarFunction[] = (["drain", "undrain", "remove"] as const).map((change) =>
	asynchronous(`quorate_${change}_node(int4) -> bool`, async ([node], c) => {
		await c.changeNode(node as number, change);
		return true;
	}),
);

const pollMs = 50;

/** As PostgreSQL's: waits until the session is gone, at most so long. */
async function terminate(process: number, timeoutMs: number, c: FunctionContext): Promise<Datum> {
	const found = await c.signalBackend(process, "terminate");
	if (!found || timeoutMs === 0) return found;
	for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += pollMs) {
		await c.sleep(pollMs);
		const { nodes } = await c.clusterActivity();
		if (!nodes.some((node) => node.sessions.some((s) => s.process === process))) return true;
	}
	return false;
}

/** What AS OF SYSTEM TIME takes to read exactly there again. The last is CockroachDB's name for the first. */
const timestamps: ScalarFunction[] = [
	asynchronous("quorate_read_timestamp() -> int8", (_args, c) => c.timestampCall("read")),
	asynchronous("quorate_commit_timestamp() -> int8", (_args, c) => c.timestampCall("commit")),
	asynchronous("cluster_logical_timestamp() -> int8", (_args, c) => c.timestampCall("read")),
	asynchronous("pg_export_snapshot() -> text", (_args, c) => c.timestampCall("export")),
];

/** Of the transaction. Numbers of others are not to be compared with it: which transactions it sees they do not say. */
const numbers: ScalarFunction[] = [
	asynchronous("pg_current_xact_id() -> xid8", (_args, c) => c.transactionNumber(true)),
	asynchronous("pg_current_xact_id_if_assigned() -> xid8", (_args, c) =>
		c.transactionNumber(false),
	),
	asynchronous("txid_current() -> int8", (_args, c) => c.transactionNumber(true)),
	asynchronous("txid_current_if_assigned() -> int8", (_args, c) => c.transactionNumber(false)),
];

export const sessionFunctions: readonly ScalarFunction[] = [
	...users,
	...settings,
	...types,
	...sleepless,
	...sequences,
	...advisory,
	...notifications,
	...backends,
	...nodes,
	...timestamps,
	...numbers,
];
