/** The settings that SET and SHOW know: PostgreSQL's names, defaults and rules, and a few of Quorate's own. */

import { firstVersions, versionSetting } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import { durationMs } from "@quorate/keys/duration";
import { memoryUnits } from "@quorate/keys/memory-units";
import { intervalStyles, parseInterval } from "../types/interval-text.ts";
import { findTimeZone, fixedZone } from "../types/time-zones.ts";

export interface SettingDefinition {
	/** As SHOW and ParameterStatus spell it. */
	readonly name: string;
	readonly initial: string;
	/** Told to the client whenever it changes (GUC_REPORT). */
	readonly report: boolean;
	/** False: fixed by the server. */
	readonly settable: boolean;
	/** Of the whole cluster: only ALTER SYSTEM sets it. */
	readonly cluster: boolean;
	/** Normal form of a value; throws 22023. */
	normalize(value: string, surroundings?: Surroundings): string;
}

/** The setting's value, and what RESET would make of it. */
export interface Surroundings {
	readonly now: string;
	readonly reset: string;
}

const invalid = (name: string, value: string, hint?: string): DatabaseError =>
	new DatabaseError(
		"22023",
		`invalid value for parameter "${name}": "${value}"`,
		hint === undefined ? {} : { hint },
	);

interface Options {
	readonly report?: boolean;
	readonly settable?: boolean;
	readonly cluster?: boolean;
}

function define(
	name: string,
	initial: string,
	normalize: (value: string, name: string, surroundings: Surroundings) => string,
	options: Options = {},
): SettingDefinition {
	return {
		name,
		initial,
		report: options.report ?? false,
		settable: options.settable ?? true,
		cluster: options.cluster ?? false,
		normalize: (value, surroundings = { now: initial, reset: initial }) =>
			normalize(value, name, surroundings),
	};
}

const anything = (value: string): string => value;

const booleans: Readonly<Record<string, string>> = dictionary({
	on: "on",
	true: "on",
	yes: "on",
	t: "on",
	y: "on",
	"1": "on",
	off: "off",
	false: "off",
	no: "off",
	f: "off",
	n: "off",
	"0": "off",
});

function bool(value: string, name: string): string {
	const found = booleans[value.toLowerCase()];
	if (found === undefined) {
		throw new DatabaseError("22023", `parameter "${name}" requires a Boolean value`);
	}
	return found;
}

const oneOf =
	(...values: readonly string[]) =>
	(value: string, name: string): string => {
		const folded = value.toLowerCase();
		if (values.includes(folded)) return folded;
		throw invalid(name, value, `Available values: ${values.join(", ")}.`);
	};

/** The value is kept, and nothing else happens. */
const alwaysOn = (value: string, name: string): string => {
	if (bool(value, name) === "on") return "on";
	throw new DatabaseError("0A000", `${name} cannot be turned off`, {
		hint: "Leave it on, which is the default.",
	});
};

const units: Readonly<Record<string, number>> = dictionary({
	us: 0.001,
	ms: 1,
	s: 1000,
	min: 60_000,
	h: 3_600_000,
	d: 86_400_000,
});

/** As text in the largest unit that divides it, as SHOW has it. */
function duration(value: string, name: string): string {
	const match = /^\s*(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(value);
	if (match === null) {
		const hint = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".';
		throw invalid(name, value, /^\s*-?\d/.test(value) ? hint : undefined);
	}
	const ms = Math.round(Number(match[1]) * units[match[2] ?? "ms"]!);
	if (ms < 0 || ms > 2147483647) {
		throw new DatabaseError(
			"22023",
			`${ms} ms is outside the valid range for parameter "${name}" (0 .. 2147483647)`,
		);
	}
	if (ms === 0) return "0";
	for (const unit of ["d", "h", "min", "s"]) {
		if (ms % units[unit]! === 0) return `${ms / units[unit]!}${unit}`;
	}
	return `${ms}ms`;
}

const durationOrNever = (value: string, name: string): string =>
	/^\s*-1\s*(ms)?\s*$/.test(value) ? "-1" : duration(value, name);

/** At least a second: what a statement reads must not be gone before it ends. */
function lifetime(value: string, name: string): string {
	const normal = duration(value, name);
	if (durationMs(normal) >= 1000) return normal;
	throw new DatabaseError(
		"22023",
		`${durationMs(normal)} ms is outside the valid range for parameter "${name}" (1000 .. 2147483647)`,
	);
}

/** In the largest unit that divides it. A plain number counts bytes. */
const size =
	(min: number, max: number) =>
	(value: string, name: string): string => {
		const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)?\s*$/.exec(value);
		const unit = match === null ? undefined : memoryUnits[match[2] ?? "B"];
		if (match === null || unit === undefined) {
			const hint = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".';
			throw invalid(name, value, /^\s*\d/.test(value) ? hint : undefined);
		}
		const bytes = Math.round(Number(match[1]) * unit);
		if (bytes < min || bytes > max) {
			throw new DatabaseError(
				"22023",
				`${bytes} B is outside the valid range for parameter "${name}" (${min} B .. ${max} B)`,
			);
		}
		for (const one of ["GB", "MB", "kB"]) {
			if (bytes % memoryUnits[one]! === 0) return `${bytes / memoryUnits[one]!}${one}`;
		}
		return `${bytes}B`;
	};

/** Of a value in `size`'s normal form. */
export function sizeBytes(value: string): number {
	const match = /^(\d+)(B|kB|MB|GB)$/.exec(value);
	return match === null ? 0 : Number(match[1]) * memoryUnits[match[2]!]!;
}

const integer =
	(min: number, max: number) =>
	(value: string, name: string): string => {
		const number = Number(value);
		if (!Number.isInteger(number) || value.trim() === "") throw invalid(name, value);
		if (number < min || number > max) {
			throw new DatabaseError(
				"22023",
				`${number} is outside the valid range for parameter "${name}" (${min} .. ${max})`,
			);
		}
		return String(number);
	};

/** What a word of DateStyle says: how dates look, or which part of them comes first. */
function dateWord(word: string): { readonly style?: string; readonly order?: string } | undefined {
	if (word === "iso") return { style: "ISO" };
	if (word === "sql") return { style: "SQL" };
	if (word.startsWith("postgres")) return { style: "Postgres" };
	if (word === "german") return { style: "German" };
	if (word === "ymd") return { order: "YMD" };
	if (word === "dmy" || word.startsWith("euro")) return { order: "DMY" };
	if (word === "mdy" || word === "us" || word.startsWith("noneuro")) return { order: "MDY" };
	return undefined;
}

/** check_datestyle: what is not said stays as it is. */
function dateStyle(value: string, name: string, { now, reset }: Surroundings): string {
	const refused = (detail: string): DatabaseError =>
		new DatabaseError("22023", invalid(name, value).message, { detail });
	let style: string | undefined;
	let order: string | undefined;
	let [otherStyle, otherOrder] = now.split(", ");
	const words = value.trim() === "" ? [] : value.split(",").map((word) => word.trim());
	if (words.includes("")) throw refused("List syntax is invalid.");
	for (const written of words) {
		const word = written.replace(/^"(.*)"$/, "$1").toLowerCase();
		const said = dateWord(word);
		if (word === "default") {
			const [resetStyle, resetOrder] = reset.split(", ");
			if (style === undefined) otherStyle = resetStyle;
			if (order === undefined) otherOrder = resetOrder;
			continue;
		}
		if (said === undefined) throw refused(`Unrecognized key word: "${written.toLowerCase()}".`);
		const isOther = (before: string | undefined, after: string | undefined): boolean =>
			before !== undefined && after !== undefined && before !== after;
		if (isOther(style, said.style) || isOther(order, said.order)) {
			throw refused('Conflicting "datestyle" specifications.');
		}
		style ??= said.style;
		order ??= said.order;
		// They begin with the day, but that is no contradiction to another order.
		if (said.style === "German") otherOrder = "DMY";
	}
	return `${style ?? otherStyle}, ${order ?? otherOrder}`;
}

/** PostgreSQL's other ones. */
const otherEncodings =
	/^(big5|euc(cn|jp|jis2004|kr|tw)|gb18030|gbk|iso8859[0-9]+|johab|koi8[ru]?|latin[0-9]+|mulein|muleinternal|sjis|shiftjis(2004)?|uhc|win[0-9]+|windows[0-9]+)$/;

function encoding(value: string, name: string): string {
	const folded = value.replace(/^'|'$/g, "").toLowerCase().replace(/[-_]/g, "");
	if (folded === "utf8" || folded === "unicode") return "UTF8";
	if (folded === "sqlascii") return "SQL_ASCII";
	if (!otherEncodings.test(folded)) throw invalid(name, value);
	throw new DatabaseError("0A000", `${name} "${value}" is not supported`, {
		hint: "Use UTF8.",
	});
}

/** Hours and minutes east of UTC. Throws 22023. */
function intervalZone(span: string, value: string, name: string): string {
	const { months, days, microseconds } = parseInterval(span);
	if (months === 0 && days === 0) return fixedZone(Number(microseconds / 1_000_000n)).name;
	throw new DatabaseError("22023", invalid(name, value).message, {
		detail: `Cannot specify ${months === 0 ? "days" : "months"} in time zone interval.`,
	});
}

function timeZone(value: string, name: string): string {
	if (value.toLowerCase() === "default" || value.toLowerCase() === "local") return "UTC";
	const span = /^interval\s*'([^']*)'\s*$/i.exec(value)?.[1];
	if (span !== undefined) return intervalZone(span, value, name);
	const hours = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/.test(value) ? Number(value) : undefined;
	const zone = findTimeZone(hours === undefined ? value : hoursEast(hours));
	if (zone === undefined) {
		const { message } = invalid(name, value);
		const detail = hours === undefined ? {} : { detail: "UTC timezone offset is out of range." };
		throw new DatabaseError("22023", message, detail);
	}
	// Hours east of UTC have a POSIX name, in which they are hours west.
	return /^\s*[+-]?\.?\d/.test(value) ? zone.name : value;
}

const hoursEast = (hours: number): string => fixedZone(Math.trunc(hours * 3600)).name;

export const isolations = [
	"serializable",
	"repeatable read",
	"read committed",
	"read uncommitted",
] as const;

const reported = { report: true };
const fixed = { settable: false };
const ofCluster = { settable: false, cluster: true };
const fixedReported = { report: true, settable: false };

export const serverVersion = "15.0 (Quorate 0.1.0)";

const definitions: readonly SettingDefinition[] = [
	define(
		"application_name",
		"",
		(value) => value.replace(/[^\x20-\x7e]/g, "?").slice(0, 63),
		reported,
	),
	define("client_encoding", "UTF8", encoding, reported),
	define("DateStyle", "ISO, MDY", dateStyle, reported),
	define("default_transaction_read_only", "off", bool, reported),
	define("in_hot_standby", "off", bool, fixedReported),
	define("integer_datetimes", "on", bool, fixedReported),
	define("IntervalStyle", "postgres", oneOf(...intervalStyles), reported),
	define("is_superuser", "on", bool, fixedReported),
	define("server_encoding", "UTF8", anything, fixedReported),
	define("server_version", serverVersion, anything, fixedReported),
	/** SET ROLE: "none" or a role's name. */
	define("role", "none", anything, fixed),
	define("session_authorization", "", anything, fixedReported),
	define("standard_conforming_strings", "on", alwaysOn, reported),
	define("TimeZone", "UTC", timeZone, reported),
	define("server_version_num", "150000", anything, fixed),
	define("block_size", "8192", anything, fixed),
	define("max_identifier_length", "63", anything, fixed),
	define("max_index_keys", "32", anything, fixed),
	define("lc_collate", "C", anything, fixed),
	define("lc_ctype", "C", anything, fixed),
	define("search_path", '"$user", public', anything),
	define("transaction_isolation", "serializable", oneOf(...isolations)),
	define("default_transaction_isolation", "serializable", oneOf(...isolations)),
	define("transaction_read_only", "off", bool),
	define("transaction_deferrable", "off", bool),
	define("default_transaction_deferrable", "off", bool),
	/** Quorate's own: pessimistic transactions lock what they are going to write, optimistic ones do not. */
	define("transaction_mode", "pessimistic", oneOf("pessimistic", "optimistic")),
	/** Statements that only read take what this node's replicas know of the past. */
	define("follower_reads", "off", bool),
	/** How long the past can be read; leaseholders look at it before they remove history. */
	define("gc_ttl", "10min", lifetime, ofCluster),
	/** Ranges that hold more, or are asked more often (requests a second; 0: no limit), are split. */
	define("range_max_bytes", "64MB", size(64 << 10, 16 * 2 ** 30), ofCluster),
	define("range_max_load", "2500", integer(0, 1_000_000_000), ofCluster),
	/** Neighbours that have been small and cold for so long become one range. 0: never. */
	define("range_merge_after", "5min", duration, ofCluster),
	/** A node that is silent for so long loses its replicas to others. */
	define("dead_after", "5min", lifetime, ofCluster),
	/** How long a node that is being stopped lets transactions go on. */
	define("drain_timeout", "5s", duration, ofCluster),
	/** Which formats may be written: raised when all nodes can. */
	define(versionSetting, String(firstVersions.newest), anything, fixed),
	/** What a session may keep under names. */
	define("max_prepared_statements", "10000", integer(1, 1_000_000), ofCluster),
	define("max_portals", "1000", integer(1, 1_000_000), ofCluster),
	/** What a session may listen to, and the advisory locks that it may hold. */
	define("max_channels", "10000", integer(1, 1_000_000), ofCluster),
	define("max_advisory_locks", "10000", integer(1, 1_000_000), ofCluster),
	define("session_memory", "64MB", size(1 << 20, 16 * 2 ** 30), ofCluster),
	define("statement_timeout", "0", duration),
	define("lock_timeout", "0", duration),
	define("idle_in_transaction_session_timeout", "0", duration),
	define("transaction_timeout", "0", duration),
	define("idle_session_timeout", "0", duration),
	define("extra_float_digits", "1", integer(-15, 3)),
	define("bytea_output", "hex", oneOf("escape", "hex")),
	define(
		"client_min_messages",
		"notice",
		oneOf(
			"debug5",
			"debug4",
			"debug3",
			"debug2",
			"debug1",
			"debug",
			"log",
			"notice",
			"warning",
			"error",
		),
	),
	define("escape_string_warning", "on", bool),
	define("backslash_quote", "safe_encoding", anything),
	define("array_nulls", "on", alwaysOn),
	define("row_security", "on", bool),
	define("check_function_bodies", "on", bool),
	define("xmloption", "content", oneOf("content", "document")),
	define("synchronous_commit", "on", oneOf("on", "off", "local", "remote_write", "remote_apply")),
	define("default_tablespace", "", anything),
	define("default_table_access_method", "heap", anything),
	define("default_with_oids", "off", bool),
	define("quote_all_identifiers", "off", bool),
	define("lc_messages", "C", anything),
	define("lc_monetary", "C", anything),
	define("lc_numeric", "C", anything),
	define("lc_time", "C", anything),
	define("work_mem", "64MB", anything),
	define("maintenance_work_mem", "64MB", anything),
	define("max_parallel_workers_per_gather", "0", anything),
	define("max_connections", "5000", anything, fixed),
	define("jit", "off", bool),
	define("plan_cache_mode", "auto", oneOf("auto", "force_generic_plan", "force_custom_plan")),
	define("synchronize_seqscans", "on", bool),
	define("enable_seqscan", "on", bool),
	define("enable_indexscan", "on", bool),
	define("enable_bitmapscan", "on", bool),
	define("enable_hashjoin", "on", bool),
	define("enable_mergejoin", "on", bool),
	define("enable_nestloop", "on", bool),
	define("enable_sort", "on", bool),
	define("enable_hashagg", "on", bool),
	define("log_statement", "none", anything, fixed),
	define("log_min_duration_statement", "-1", durationOrNever, ofCluster),
	define("log_min_messages", "warning", anything, fixed),
	define("password_encryption", "scram-sha-256", oneOf("scram-sha-256")),
	define("ssl", "off", bool, fixed),
	define("wal_level", "replica", anything, fixed),
	define("autovacuum", "off", bool, fixed),
];

const byFolded = new Map(definitions.map((one) => [one.name.toLowerCase(), one]));

/** Names are case-insensitive. */
export const settingDefinition = (name: string): SettingDefinition | undefined =>
	byFolded.get(name.toLowerCase());

export const allSettings = (): readonly SettingDefinition[] => definitions;
