/** CREATE INDEX. A small table is indexed in the same transaction; a larger one in steps (S3), if nothing else hangs on how they end. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { attributesOf, columnByAttnum } from "../catalog/descriptor.ts";
import { relationOf } from "../catalog/snapshot.ts";
import { entryValue } from "../execute/index-codec.ts";
import { MemoryMeter } from "../execute/memory.ts";
import { indexCodec } from "../execute/table-codec.ts";
import { describeRow } from "../execute/violation.ts";
import type { Statement } from "../parser/ast.ts";
import type { Datum } from "../types/datum.ts";
import type { TypeContext } from "../types/registry.ts";
import { build } from "./backfill.ts";
import { findObject } from "./drop.ts";
import { type IndexForm, indexForm } from "./index-columns.ts";
import { RowWork } from "./row-work.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { newIndex } from "./table-parts.ts";
import { seemsLarge, wholeTable } from "./whole-table.ts";

type CreateIndex = Extract<Statement, { kind: "create-index" }>;

export function usable(table: TableDescriptor): void {
	if (table.rewrite === undefined) return;
	throw new DatabaseError(
		"55006",
		`cannot alter table "${table.name}" because ${table.rewrite.change === undefined ? "its primary key is being changed" : "its rows are being rewritten"}`,
		{ hint: "Try again when the running ALTER TABLE has ended (SHOW JOBS)." },
	);
}

export async function createIndex(editor: SchemaEditor, statement: CreateIndex): Promise<string> {
	if (statement.concurrently && editor.block.explicit) {
		throw new DatabaseError(
			"25001",
			"CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
		);
	}
	const found = findObject(editor, statement.table);
	if (found?.kind === "view" || found?.kind === "sequence" || found?.kind === "index") {
		const name = found.kind === "index" ? found.index.name : relationOf(found).name;
		throw new DatabaseError("42809", `cannot create index on relation "${name}"`, {
			detail: `This operation is not supported for ${found.kind === "index" ? "indexes" : `${found.kind}s`}.`,
		});
	}
	const table = found?.table;
	if (table === undefined) {
		throw new DatabaseError(
			"42P01",
			`relation "${statement.table.parts.join(".")}" does not exist`,
		);
	}
	usable(table);
	if (statement.method !== undefined && !["btree", "hash"].includes(statement.method)) {
		if (!["gin", "gist", "spgist", "brin"].includes(statement.method)) {
			throw new DatabaseError("42704", `access method "${statement.method}" does not exist`);
		}
		throw new DatabaseError("0A000", `access method "${statement.method}" is not supported`, {
			hint: "Use btree.",
		});
	}
	const form = indexForm(editor, table, statement.columns, statement.where, statement);
	const { name } = statement;
	if (name !== undefined && editor.isTaken(table.schema, name)) {
		if (!statement.ifNotExists) throw alreadyExists(name);
		editor.state.notice("NOTICE", "42P07", `relation "${name}" already exists, skipping`);
		return "CREATE INDEX";
	}
	const names = attributesOf(form).map(
		({ attnum, expression }) => expression?.name ?? columnByAttnum(table, attnum).name,
	);
	const options = {
		name: name ?? editor.freeName(table.schema, [table.name, ...names, "idx"], new Set()),
		...form,
		unique: statement.unique,
		constraint: false,
	};
	const alone = editor.block.isAlone || takesAllRows(options);
	await addIndex(editor, table, options, new RowWork(editor, table, alone));
	return "CREATE INDEX";
}

/** Whether no row can be a reason not to make it. */
const takesAllRows = (index: IndexForm & { readonly unique: boolean }): boolean =>
	!index.unique &&
	index.predicate === undefined &&
	attributesOf(index).every(({ expression }) => expression === undefined);

/**
 * Whether all rows are dealt with in the transaction of the change. `alone`: nothing else hangs on how a job ends that deals with them; what
 * is one of several actions or statements is done with all of them or not at all.
 */
export async function isDirect(
	editor: SchemaEditor,
	table: TableDescriptor,
	alone: boolean,
): Promise<boolean> {
	return !alone || editor.isOwn(table) || !(await seemsLarge(editor.state, table));
}

/** Answers whether it can be used when the transaction ends. */
export async function addIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	options: IndexForm & {
		readonly name: string;
		readonly unique: boolean;
		readonly constraint: boolean;
		readonly deferrable?: IndexDescriptor["deferrable"];
		/** Of a primary key: attnums that have become NOT NULL with it. */
		readonly madeNotNull?: readonly number[];
	},
	rows: RowWork,
): Promise<boolean> {
	const direct = await rows.isDirect(table);
	const { schema } = table;
	const index = await newIndex(editor, { schema, name: options.name }, options, {
		unique: options.unique,
		constraint: options.constraint,
		deferrable: options.deferrable,
		state: direct ? "public" : "write-only",
	});
	const { madeNotNull } = options;
	const added = direct || madeNotNull === undefined ? index : { ...index, madeNotNull };
	const changed = { ...table, indexes: [...table.indexes, added] };
	await editor.put(changed);
	if (direct) {
		await rows.fill(table, () => fill(editor, changed, index));
	} else {
		const { state } = editor;
		editor.block.afterCommit.push(() => build(state, table.oid, index.oid));
	}
	return direct;
}

async function fill(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
): Promise<void> {
	const codec = indexCodec(table, index);
	const seen = new Set<Key>();
	const memory = new MemoryMeter(editor.state.services.statementMemory);
	for await (const page of wholeTable(editor, table)) {
		for (const { key, row } of page) {
			const entry = codec.entryKey(row, key);
			if (entry === undefined) continue;
			const unique = index.unique ? entry : codec.sharedKey(row);
			if (unique !== undefined) {
				if (seen.has(unique)) throw duplicated(table, index, row, editor.state.context);
				memory.add([unique], outOfMemory);
				seen.add(unique);
			}
			editor.transaction.put(entry, entryValue(key));
		}
		await editor.transaction.flush();
	}
}

const outOfMemory = (limit: number): DatabaseError =>
	new DatabaseError("53200", "out of memory", {
		detail: `The keys of a unique index need more than ${Math.round(limit / 1048576)} MB in the transaction that makes it.`,
		hint: "Make it by a statement of its own.",
	});

export function duplicated(
	table: TableDescriptor,
	index: IndexDescriptor,
	row: readonly Datum[],
	context: TypeContext,
): DatabaseError {
	return new DatabaseError("23505", `could not create unique index "${index.name}"`, {
		detail: `Key ${describeRow(table, index, row, context)} is duplicated.`,
		schema: table.schema,
		table: table.name,
		constraint: index.name,
	});
}
