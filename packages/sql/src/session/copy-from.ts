/** COPY table FROM STDIN: rows stream in, are written unread, and conflicts show at the latest at commit. */
import { DatabaseError } from "@quorate/keys/database-error";
import { KeyExistsError } from "@quorate/txn/types";
import { authorizeAccess } from "../auth/authorize.ts";
import {
	type ColumnDescriptor,
	isGenerated,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { Env, type Execution } from "../execute/env.ts";
import type { TableWriter } from "../execute/table-writer.ts";
import type { QualifiedName } from "../parser/ast.ts";
import { argumentReader } from "../plan/arguments.ts";
import { bindDefault, compileCopyCondition, tableWriter, targetSlots } from "../plan/bind-table.ts";
import type { Binder } from "../plan/binder.ts";
import { type Compiled, compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import type { Datum } from "../types/datum.ts";
import { applyModifier, type TypeDefinition, typeByOid } from "../types/registry.ts";
import type { CopyStatement } from "./copy.ts";
import { BinaryReader, receive } from "./copy-binary.ts";
import { CsvRecords } from "./copy-csv.ts";
import { type CopyOptions, copyOptions } from "./copy-options.ts";
import {
	type Field,
	type HeaderCheck,
	invalidByte,
	type RecordReader,
	TextRecords,
} from "./copy-text.ts";
import { binderFor, executionFor } from "./evaluate.ts";
import type { Output } from "./output.ts";
import { schemaChanges } from "./schema-reliance.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { isFenced, passFences } from "./write-fence.ts";

interface Column {
	readonly slot: number;
	readonly name: string;
	readonly type: TypeDefinition;
	readonly modifier: number;
}

/** Turns records into rows and writes them. */
class RowLoader {
	readonly #table: TableDescriptor;
	readonly #columns: readonly Column[];
	/** For columns that the input does not have. */
	readonly #defaults: readonly { readonly slot: number; readonly value: Compiled }[];
	readonly #condition: Compiled | undefined;
	readonly #writer: TableWriter;
	readonly #env: Env;
	readonly #state: SessionState;

	constructor(parts: {
		readonly state: SessionState;
		readonly table: TableDescriptor;
		readonly columns: readonly Column[];
		readonly defaults: readonly { readonly slot: number; readonly value: Compiled }[];
		/** Rows for which it is not true are left out. */
		readonly condition: Compiled | undefined;
		readonly writer: TableWriter;
		readonly env: Env;
	}) {
		this.#state = parts.state;
		this.#table = parts.table;
		this.#columns = parts.columns;
		this.#defaults = parts.defaults;
		this.#condition = parts.condition;
		this.#writer = parts.writer;
		this.#env = parts.env;
	}

	async load(fields: readonly Field[], records: RecordReader): Promise<void> {
		const row: Datum[] = new Array(this.#writer.codec.row.width).fill(null);
		this.#parse(fields, records, row);
		const where = `COPY ${this.#table.name}, line ${records.line}`;
		await this.#write(row, where, wholeLine(where, records));
	}

	/** Of the binary format: as `receive` has read them. */
	async loadValues(values: readonly Datum[], where: string): Promise<void> {
		const row: Datum[] = new Array(this.#writer.codec.row.width).fill(null);
		for (const [i, { slot }] of this.#columns.entries()) row[slot] = values[i]!;
		await this.#write(row, where, where);
	}

	receive(column: number, bytes: Uint8Array): Datum {
		const { type, modifier } = this.#columns[column]!;
		const value = receive(type, bytes, this.#env.context);
		return modifier < 0 ? value : applyModifier(value, { oid: type.oid, modifier }, false);
	}

	/** `where`: of a key that is taken; `whereWhole`: of any other error. */
	async #write(row: Datum[], where: string, whereWhole: string): Promise<void> {
		for (const { slot, value } of this.#defaults) {
			const datum = value.evaluate([], this.#env);
			row[slot] = datum instanceof Promise ? await datum : datum;
		}
		try {
			if (this.#condition !== undefined) {
				const isWanted = this.#condition.evaluate(row, this.#env);
				if ((isWanted instanceof Promise ? await isWanted : isWanted) !== true) return;
			}
			const waiting = this.#writer.validate(row, this.#env);
			if (waiting !== undefined) await waiting;
			const key =
				this.#writer.newKey(row, this.#env) ?? (await this.#writer.newKeySlowly(row, this.#env));
			this.#writer.insertUnread(row, key, this.#env);
			if (this.#writer.shadow !== undefined) {
				await this.#writer.shadow.insert([{ row, key }], this.#env);
			}
		} catch (error) {
			const isTaken = error instanceof KeyExistsError;
			throw located(this.#state.translate(error), isTaken ? where : whereWhole);
		}
		this.#env.execution.affected++;
	}

	#parse(fields: readonly Field[], records: RecordReader, row: Datum[]): void {
		const where = `COPY ${this.#table.name}, line ${records.line}`;
		const columns = this.#columns;
		if (fields.length > columns.length) {
			throw new DatabaseError("22P04", "extra data after last expected column", {
				where: wholeLine(where, records),
			});
		}
		const missing = columns[fields.length];
		if (missing !== undefined) {
			throw new DatabaseError("22P04", `missing data for column "${missing.name}"`, {
				where: wholeLine(where, records),
			});
		}
		for (let i = 0; i < columns.length; i++) {
			const field = fields[i]!;
			if (field === null) continue;
			const { slot, name, type, modifier } = columns[i]!;
			try {
				const value = type.parse(field, -1, this.#env.context);
				row[slot] = modifier < 0 ? value : applyModifier(value, { oid: type.oid, modifier }, false);
			} catch (error) {
				const shown = field.length > 100 ? `${field.slice(0, 100)}...` : field;
				const place = `COPY ${this.#table.name}, line ${records.line}, column ${name}: "${shown}"`;
				throw located(error, within(error, place));
			}
		}
	}
}

/** Behind what the type's input says of the place. */
const within = (error: unknown, place: string): string =>
	error instanceof DatabaseError && error.fields.where !== undefined
		? `${error.fields.where}\n${place}`
		: place;

const wholeLine = (where: string, records: RecordReader): string =>
	`${where}: "${records.raw.slice(0, 100)}${records.raw.length > 100 ? "..." : ""}"`;

/** HEADER MATCH. Throws 22P04. */
function headerCheck(columns: readonly Column[], matches: boolean): HeaderCheck {
	return (fields) => {
		if (!matches) return;
		if (fields.length !== columns.length) {
			throw new DatabaseError(
				"22P04",
				`wrong number of fields in header line: got ${fields.length}, expected ${columns.length}`,
			);
		}
		for (const [i, { name }] of columns.entries()) {
			if (fields[i] === name) continue;
			throw new DatabaseError(
				"22P04",
				`column name mismatch in header line field ${i + 1}: got "${fields[i] ?? ""}", expected "${name}"`,
			);
		}
	};
}

function located(error: unknown, where: string): unknown {
	if (!(error instanceof DatabaseError)) return error;
	return new DatabaseError(error.code, error.message, { ...error.fields, where });
}

function columnsOf(table: TableDescriptor, slots: readonly number[]): readonly Column[] {
	const live = liveColumns(table);
	return slots.map((slot): Column => {
		const { name, type } = live[slot]!;
		return { slot, name, type: typeByOid(type.oid)!, modifier: type.modifier };
	});
}

/** As COPY says it: without a position. */
export function requireRelation(binder: Binder, name: QualifiedName): void {
	if (binder.lookup(name) === undefined) {
		throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);
	}
}

function storedTable(binder: Binder, name: QualifiedName): TableDescriptor {
	requireRelation(binder, name);
	const found = binder.lookup(name);
	if (found?.kind === "view") {
		throw new DatabaseError("42809", `cannot copy to view "${found.view.name}"`, {
			hint: "To enable copying to a view, provide an INSTEAD OF INSERT trigger.",
		});
	}
	return binder.resolveStoredTable(name);
}

/** A generated column that is named. */
export const generatedInCopy = ({ name }: ColumnDescriptor): DatabaseError =>
	new DatabaseError("42P10", `column "${name}" is a generated column`, {
		detail: "Generated columns cannot be used in COPY.",
	});

/** Generated columns are not copied. Throws 42P10 where one is named. */
function copiedSlots(
	table: TableDescriptor,
	slots: readonly number[],
	named: readonly string[],
): readonly number[] {
	const live = liveColumns(table);
	const generated = slots.map((slot) => live[slot]!).find(isGenerated);
	if (generated === undefined) return slots;
	if (named.length > 0) throw generatedInCopy(generated);
	return slots.filter((slot) => !isGenerated(live[slot]!));
}

/** After an error the client is still sending: what it sends is read and thrown away by the protocol server. */
export async function copyFrom(
	state: SessionState,
	block: TransactionBlock,
	statement: CopyStatement,
	output: Output,
): Promise<string> {
	const options = copyOptions(statement.options);
	if (block.characteristics.readOnly) {
		throw new DatabaseError("25006", "cannot execute COPY FROM in a read-only transaction");
	}
	const binder: Binder = await binderFor(state, block, undefined, []);
	const table = storedTable(binder, statement.table!);
	const slots = copiedSlots(
		table,
		targetSlots({ name: table.name, columns: liveColumns(table) }, statement.columns, []),
		statement.columns,
	);
	const attnums = slots.map((slot) => liveColumns(table)[slot]!.attnum);
	binder.access.writes(table.oid, "INSERT", attnums);
	const planner = new Planner(binder.environment.catalog);
	const condition =
		statement.where &&
		compileCopyCondition(binder, table, statement.where, CompileScope.root(planner));
	authorizeAccess(binder.environment.catalog, state.identity.currentOid, binder.access.collected());
	const written = (): readonly number[] => [table.oid];
	if (isFenced(state, block, written)) {
		await passFences(state, block, written);
		const transaction = block.transaction!;
		if (transaction.canRestartStatement) transaction.restart(schemaChanges());
		await transaction.readTimestamp();
		return copyFrom(state, block, statement, output);
	}
	const columns = columnsOf(table, slots);
	const scope = CompileScope.root(planner).inner();
	const defaults = liveColumns(table).flatMap((column, slot) =>
		slots.includes(slot) || column.defaultText === undefined
			? []
			: [{ slot, value: compile(bindDefault(binder, column), scope) }],
	);
	const execution = await executionFor(state, block);
	const loader = new RowLoader({
		state,
		table,
		columns,
		defaults,
		condition,
		writer: tableWriter(binder, table, CompileScope.root(planner)),
		env: new Env(execution, argumentReader(planner.arguments.list)([], [], state.context)),
	});
	if (options.format === "binary") {
		await feedBinary(output, columns, loader, execution, table);
	} else {
		const records = recordsOf(options, columns);
		await feed(output, columns.length, records, loader, execution, table);
	}
	await execution.finish();
	return `COPY ${execution.affected}`;
}

function recordsOf(options: CopyOptions, columns: readonly Column[]): RecordReader {
	const header = headerCheck(columns, options.header === "match");
	const names = columns.map((column) => column.name);
	return options.format === "csv"
		? new CsvRecords(options, names, header)
		: new TextRecords(options, header);
}
/** What the client sends. */
async function* received(
	output: Output,
	format: "text" | "binary",
	columnCount: number,
	table: TableDescriptor,
	records: { readonly line: number },
): AsyncIterable<Uint8Array> {
	try {
		yield* output.copyIn(format, columnCount);
	} catch (error) {
		throw located(error, `COPY ${table.name}, line ${records.line + 1}`);
	}
}

async function feed(
	output: Output,
	columnCount: number,
	records: RecordReader,
	loader: RowLoader,
	execution: Execution,
	table: TableDescriptor,
): Promise<void> {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	const decode = (bytes: Uint8Array | undefined): string => {
		try {
			const text = decoder.decode(bytes, { stream: bytes !== undefined });
			if (text.includes("\0")) throw invalidByte(0);
			return text;
		} catch (error) {
			const cause =
				error instanceof DatabaseError
					? error
					: invalidByte(bytes?.find((byte) => byte > 127) ?? 0);
			throw located(cause, `COPY ${table.name}, line ${records.line + 1}`);
		}
	};
	const loadAll = async (batch: Iterable<readonly Field[]>): Promise<void> => {
		try {
			for (const fields of batch) await loader.load(fields, records);
		} catch (error) {
			const isPlaced = error instanceof DatabaseError && error.fields.where !== undefined;
			throw isPlaced
				? error
				: located(error, wholeLine(`COPY ${table.name}, line ${records.line}`, records));
		}
	};
	for await (const chunk of received(output, "text", columnCount, table, records)) {
		if (records.ended) continue;
		await loadAll(records.push(decode(chunk)));
		await execution.endBatch();
		const pause = execution.pause();
		if (pause !== undefined) await pause;
	}
	if (!records.ended) await loadAll(records.push(decode(undefined)));
	await loadAll(records.finish());
}

async function feedBinary(
	output: Output,
	columns: readonly Column[],
	loader: RowLoader,
	execution: Execution,
	table: TableDescriptor,
): Promise<void> {
	const reader = new BinaryReader(columns.length, (column, bytes) => loader.receive(column, bytes));
	/** Nothing is said of the place of an error in the header. */
	const where = (): string | undefined => {
		if (reader.line === 0) return undefined;
		const column = reader.column === undefined ? "" : `, column ${columns[reader.column]!.name}`;
		return `COPY ${table.name}, line ${reader.line}${column}`;
	};
	const placed = (error: unknown): unknown => {
		const place = where();
		return place === undefined ? error : located(error, within(error, place));
	};
	for await (const chunk of received(output, "binary", columns.length, table, reader)) {
		const tuples = reader.push(chunk)[Symbol.iterator]();
		for (;;) {
			let next: IteratorResult<readonly Datum[]>;
			try {
				next = tuples.next();
			} catch (error) {
				throw placed(error);
			}
			if (next.done === true) break;
			await loader.loadValues(next.value, `COPY ${table.name}, line ${reader.line}`);
		}
		await execution.endBatch();
		const pause = execution.pause();
		if (pause !== undefined) await pause;
	}
	try {
		reader.finish();
	} catch (error) {
		throw placed(error);
	}
}
