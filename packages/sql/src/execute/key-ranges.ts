/** The keys or spans that an access path reads, from the values of one run. */
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";
import type { AccessPath } from "../plan/access-path.ts";
import { type Compiled, compile } from "../plan/compile.ts";
import type { CompileScope } from "../plan/compile-scope.ts";
import type { Sarg } from "../plan/sargable.ts";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import type { Env, ExecRow } from "./env.ts";
import { type IndexKeyColumn, invertBytes, keyEncoder } from "./index-codec.ts";

/** Values of one column, as bytes of the index's key. */
interface Term {
	readonly values: readonly { readonly compiled: Compiled; readonly encode: Encode }[];
	readonly isArray: boolean;
}

type Encode = (value: Datum) => string;

/** Encodes a value of another type of the family as this index column would. */
function encoderFor(column: IndexKeyColumn, valueOid: number, isPrimary: boolean): Encode {
	if (valueOid === column.typeOid) return column.encode;
	const encode = keyEncoder(valueOid);
	if (isPrimary) {
		return column.descending ? (value) => invertBytes(encode(value)) : encode;
	}
	return column.descending
		? (value) => `\xfe${invertBytes(encode(value))}`
		: (value) => `\x01${encode(value)}`;
}

export class KeyRanges {
	readonly #path: AccessPath;
	readonly #terms: readonly Term[];
	readonly #low: Term | undefined;
	readonly #high: Term | undefined;
	/** The column that the interval is on. */
	readonly #next: IndexKeyColumn | undefined;
	/** One value a column, none asynchronous: `singleKey` works. */
	readonly isSingleSync: boolean;

	constructor(path: AccessPath, scope: CompileScope) {
		const { codec } = path;
		const term = (sarg: Sarg, column: IndexKeyColumn): Term => ({
			values: sarg.values.map((value) => ({
				compiled: compile(value, scope),
				encode: encoderFor(column, sarg.isArray ? sarg.valueOid : value.type.oid, codec.isPrimary),
			})),
			isArray: sarg.isArray,
		});
		this.#path = path;
		this.#terms = path.equalities.map((sarg, i) => term(sarg, codec.columns[i]!));
		this.#next = codec.columns[path.equalities.length];
		this.#low = path.low && term(path.low, this.#next!);
		this.#high = path.high && term(path.high, this.#next!);
		this.isSingleSync =
			path.isPoint &&
			this.#terms.every(
				({ values, isArray }) => !isArray && values.length === 1 && !values[0]!.compiled.async,
			);
	}

	/** Of a point path with one value a column; undefined where one is NULL: no row. */
	singleKey(row: ExecRow, env: Env): Key | undefined {
		let bytes: string = this.#path.codec.prefix;
		for (const { values } of this.#terms) {
			const { compiled, encode } = values[0]!;
			const value = compiled.evaluate(row, env) as Datum;
			if (value === null) return undefined;
			bytes += encode(value);
		}
		return key(bytes);
	}

	/** Keys of a point path, each once, in key order. */
	async keys(row: ExecRow, env: Env): Promise<readonly Key[]> {
		if (this.isSingleSync) {
			const single = this.singleKey(row, env);
			return single === undefined ? [] : [single];
		}
		return (await this.#prefixes(row, env)) as readonly Key[];
	}

	/** Spans of any other path, disjoint, in key order. */
	async spans(row: ExecRow, env: Env): Promise<readonly Span[]> {
		const prefixes = await this.#prefixes(row, env);
		const low = this.#low && (await this.#bound(this.#low, row, env));
		const high = this.#high && (await this.#bound(this.#high, row, env));
		if (low === null || high === null) return [];
		const spans: Span[] = [];
		for (const prefix of prefixes) {
			const span = this.#span(prefix, low, high);
			if (span.start < span.end) spans.push(span);
		}
		return spans;
	}

	async #prefixes(row: ExecRow, env: Env): Promise<readonly string[]> {
		let prefixes: string[] = [this.#path.codec.prefix];
		for (const term of this.#terms) {
			const parts = await this.#values(term, row, env);
			if (parts.length === 1) {
				prefixes = prefixes.map((prefix) => prefix + parts[0]!);
			} else {
				prefixes = prefixes.flatMap((prefix) => parts.map((part) => prefix + part));
			}
		}
		return prefixes;
	}

	/** Encoded values, each once, in order; none for NULLs. */
	async #values(term: Term, row: ExecRow, env: Env): Promise<readonly string[]> {
		const parts: string[] = [];
		for (const { compiled, encode } of term.values) {
			const datum = await compiled.evaluate(row, env);
			if (datum === null) continue;
			if (!term.isArray) {
				parts.push(encode(datum));
				continue;
			}
			for (const element of flatten(datum as ArrayValue)) {
				if (element !== null) parts.push(encode(element));
			}
		}
		return parts.length < 2 ? parts : [...new Set(parts)].sort((a, b) => (a < b ? -1 : 1));
	}

	/** NULL: nothing compares with it. */
	async #bound(term: Term, row: ExecRow, env: Env): Promise<string | null> {
		const { compiled, encode } = term.values[0]!;
		const value = await compiled.evaluate(row, env);
		return value === null ? null : encode(value);
	}

	#span(prefix: string, low: string | undefined, high: string | undefined): Span {
		const column = this.#next;
		if (column === undefined || (low === undefined && high === undefined)) {
			return { start: key(prefix), end: prefixEnd(key(prefix)) };
		}
		// Values only: a comparison is never true of NULL.
		const mark = this.#path.codec.isPrimary ? "" : column.descending ? "\xfe" : "\x01";
		let start = key(prefix + mark);
		let end = prefixEnd(key(prefix + mark));
		const after = (bytes: string): Key => prefixEnd(key(prefix + bytes));
		const lowInclusive = this.#path.low?.operator === ">=";
		const highInclusive = this.#path.high?.operator === "<=";
		if (!column.descending) {
			if (low !== undefined) start = lowInclusive ? key(prefix + low) : after(low);
			if (high !== undefined) end = highInclusive ? after(high) : key(prefix + high);
		} else {
			if (low !== undefined) end = lowInclusive ? after(low) : key(prefix + low);
			if (high !== undefined) start = highInclusive ? key(prefix + high) : after(high);
		}
		return { start, end };
	}
}
