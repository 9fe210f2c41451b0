/** CREATE TABLE, and CREATE TABLE ... AS. */
import { isActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	IndexDescriptor,
	SequenceDescriptor,
	TableDescriptor,
} from "../catalog/descriptor.ts";
import { isTemporarySchema } from "../catalog/temporary.ts";
import { Env } from "../execute/env.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { TableWriter } from "../execute/table-writer.ts";
import type {
	ColumnConstraint,
	ExecuteStatement,
	Query,
	Statement,
	TableConstraint,
} from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { executionFor } from "../session/evaluate.ts";
import { executedOf } from "../session/executed.ts";
import { bindAndPlan } from "../session/prepared.ts";
import { authorizeRun } from "../session/run-planned.ts";
import type { Datum } from "../types/datum.ts";
import { type NewColumn, newColumn, requireColumnName } from "./column-definition.ts";
import { withForeignKey } from "./foreign-key.ts";
import { withGenerated } from "./generated.ts";
import {
	type Likeness,
	likeColumns,
	likeIndexes,
	likenessOf,
	withLikeChecks,
} from "./like-table.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { keyIndex, newCheck, rowidIndex, withKeyNotNull } from "./table-parts.ts";

type CreateTable = Extract<Statement, { kind: "create-table" }>;

const columnsMax = 1600;

/** The command tag. */
export async function createTable(
	editor: SchemaEditor,
	statement: CreateTable,
	lexed: LexedStatement,
): Promise<string> {
	const [schema, name] = await editor.targetOf(
		statement.name,
		statement.temporary,
		statement.as === undefined ? "now" : "later",
	);
	if (statement.onCommit !== undefined && !isTemporarySchema(schema)) {
		throw new DatabaseError("42P16", "ON COMMIT can only be used on temporary tables");
	}
	if (editor.isTaken(schema, name)) {
		if (!statement.ifNotExists) throw alreadyExists(name);
		editor.state.notice("NOTICE", "42P07", `relation "${name}" already exists, skipping`);
		return statement.as === undefined ? "CREATE TABLE" : "CREATE TABLE AS";
	}
	if (statement.as !== undefined) return createTableAs(editor, statement, lexed, schema, name);
	const taken = new Set([name]);
	const likes = likenesses(editor, statement);
	const columns = await defineColumns(editor, statement, likes, schema, name, taken);
	const constraints = constraintsOf(statement);
	const made = { schema, name, columns, likes };
	const table = await assemble(editor, statement, constraints, made, taken);
	await editor.put(table);
	for (const constraint of constraints) {
		// It may refer to the table itself.
		if (constraint.kind !== "foreign-key") continue;
		const current = editor.current(table);
		await editor.put(await withForeignKey(editor, current, { ...constraint, valid: true }));
	}
	for (const [i, { sequence }] of columns.entries()) {
		if (sequence === undefined) continue;
		const owned: SequenceDescriptor = {
			...sequence,
			ownedBy: { tableOid: table.oid, attnum: i + 1 },
		};
		await editor.put(owned);
	}
	return "CREATE TABLE";
}

/** What becomes of a temporary table. */
/** How its rows are stored, of what all nodes can read. */
function storageOf({ state }: SchemaEditor): Pick<TableDescriptor, "unpadded"> {
	const { values } = state.services.placement.settings();
	return isActive(values, "unpadded") ? { unpadded: true } : {};
}

const endOf = ({ onCommit }: CreateTable): Pick<TableDescriptor, "onCommit"> =>
	onCommit === "delete" || onCommit === "drop" ? { onCommit } : {};

/** What LIKE names. Its columns stand where it does. */
function likenesses(editor: SchemaEditor, { likes }: CreateTable): readonly Likeness[] {
	const found: Likeness[] = [];
	let copied = 0;
	for (const clause of likes) {
		const likeness = likenessOf(editor, clause, clause.before + copied + 1);
		copied += likeness.attnums.size;
		found.push(likeness);
	}
	return found;
}

async function defineColumns(
	editor: SchemaEditor,
	statement: CreateTable,
	likes: readonly Likeness[],
	schema: string,
	name: string,
	taken: Set<string>,
): Promise<readonly NewColumn[]> {
	const copied = likes.reduce((sum, { attnums }) => sum + attnums.size, 0);
	if (statement.columns.length + copied > columnsMax) {
		throw new DatabaseError("54011", `tables can have at most ${columnsMax} columns`);
	}
	const columns: NewColumn[] = [];
	const copyBefore = async (index: number): Promise<void> => {
		for (const likeness of likes) {
			if (likeness.clause.before !== index) continue;
			columns.push(...(await likeColumns(editor, schema, name, likeness, taken)));
		}
	};
	for (const [i, definition] of statement.columns.entries()) {
		await copyBefore(i);
		const attnum = columns.length + 1;
		const made = await newColumn(editor, schema, name, definition, attnum, taken);
		if (made.sequence !== undefined) taken.add(made.sequence.name);
		columns.push(made);
	}
	await copyBefore(statement.columns.length);
	const names = columns.map(({ column }) => column.name);
	const repeated = names.find((one, i) => names.indexOf(one) !== i);
	if (repeated !== undefined) {
		throw new DatabaseError("42701", `column "${repeated}" specified more than once`);
	}
	names.forEach(requireColumnName);
	return columns;
}

/** Constraints of columns as constraints of the table. */
export function columnConstraint(
	constraint: ColumnConstraint,
	column: string,
): TableConstraint | undefined {
	switch (constraint.kind) {
		case "primary-key":
		case "unique":
			return { ...constraint, columns: [column] };
		case "check":
			return { ...constraint, valid: true };
		case "references":
			return {
				...constraint,
				kind: "foreign-key",
				columns: [column],
				referenced: constraint.columns,
				valid: true,
			};
		default:
			return undefined;
	}
}

/** Those of columns first. */
function constraintsOf(statement: CreateTable): readonly TableConstraint[] {
	const constraints = statement.columns.flatMap(({ name, constraints }) =>
		constraints.flatMap((one) => columnConstraint(one, name) ?? []),
	);
	return [...constraints, ...statement.constraints];
}

/** What a table is made of. */
interface Made {
	readonly schema: string;
	readonly name: string;
	readonly columns: readonly NewColumn[];
	readonly likes: readonly Likeness[];
}

async function assemble(
	editor: SchemaEditor,
	statement: CreateTable,
	constraints: readonly TableConstraint[],
	{ schema, name, columns: made, likes }: Made,
	taken: Set<string>,
): Promise<TableDescriptor> {
	const keys = constraints.filter((one) => one.kind === "primary-key");
	if (keys.length > 1) throw multipleKeys(name, keys[1]!.at);
	const base = { schema, name, columns: made.map(({ column }) => column) };
	let key = keys[0] && (await keyIndex(editor, base, keys[0], "public", taken));
	const others: IndexDescriptor[] = [];
	for (const constraint of constraints) {
		if (constraint.kind === "unique") {
			others.push(await keyIndex(editor, base, constraint, "public", taken));
		}
	}
	for (const likeness of likes) {
		const copied = await likeIndexes(editor, base, likeness, taken);
		if (key !== undefined && copied.key !== undefined) throw multipleKeys(name, undefined);
		key ??= copied.key;
		others.push(...copied.others);
	}
	const indexes = key?.deferrable === undefined ? others : [key, ...others];
	const primary =
		key === undefined || key.deferrable !== undefined
			? await rowidIndex(editor, schema, name)
			: key;
	let table: TableDescriptor = {
		kind: "table",
		oid: await editor.newId(),
		...base,
		columns: withKeyNotNull(base.columns, key?.columns ?? []),
		nextAttnum: made.length + 1,
		primary,
		indexes,
		checks: [],
		foreignKeys: [],
		rewrite: undefined,
		...storageOf(editor),
		...endOf(statement),
	};
	table = withGenerated(editor, table, made);
	for (const one of constraints) {
		if (one.kind !== "check") continue;
		const check = await newCheck(editor, table, one);
		table = { ...table, checks: [...table.checks, check] };
	}
	for (const likeness of likes) table = await withLikeChecks(editor, table, likeness);
	return table;
}

export const multipleKeys = (table: string, at: number | undefined): DatabaseError =>
	new DatabaseError(
		"42P16",
		`multiple primary keys for table "${table}" are not allowed`,
		at === undefined ? {} : { position: at + 1 },
	);

/** What the rows of CREATE TABLE AS come from. Throws 26000, 42601, 42809. */
async function sourceOf(
	{ state, block }: SchemaEditor,
	as: Query | ExecuteStatement,
	lexed: LexedStatement,
): Promise<{
	readonly query: Query;
	readonly types: readonly number[];
	readonly parameters: readonly Datum[];
}> {
	if (as.kind === "query") return { query: as, types: [], parameters: [] };
	const { prepared, parameters } = await executedOf(state, block, as, lexed);
	const { inner, parameterTypes: types } = prepared;
	if (inner?.kind === "query") return { query: inner, types, parameters };
	if (inner === undefined && prepared.columns !== undefined) {
		throw new DatabaseError(
			"0A000",
			"CREATE TABLE AS EXECUTE is not supported for statements that were not prepared by PREPARE",
			{ hint: "Write the prepared query itself." },
		);
	}
	throw new DatabaseError("42809", "prepared statement is not a SELECT");
}

async function createTableAs(
	editor: SchemaEditor,
	statement: CreateTable,
	lexed: LexedStatement,
	schema: string,
	name: string,
): Promise<string> {
	const { state, block } = editor;
	const { query, types, parameters } = await sourceOf(editor, statement.as!, lexed);
	const bound = bindAndPlan(state, query, lexed, types, editor.catalog);
	await authorizeRun(state, block, bound);
	const { plan } = bound;
	if (plan.asOf !== undefined) {
		throw new DatabaseError("0A000", "AS OF SYSTEM TIME is not supported in CREATE TABLE AS", {
			hint: "Copy the rows out with COPY, which may read the past.",
		});
	}
	const sources = plan.columns ?? [];
	const { asNames = [] } = statement;
	if (asNames.length > sources.length) {
		throw new DatabaseError("42601", "too many column names were specified");
	}
	const names = sources.map((source, i) => asNames[i] ?? source.name);
	const repeated = names.find((one, i) => names.indexOf(one) !== i);
	if (repeated !== undefined) {
		throw new DatabaseError("42701", `column "${repeated}" specified more than once`);
	}
	names.forEach(requireColumnName);
	const table: TableDescriptor = {
		kind: "table",
		oid: await editor.newId(),
		schema,
		name,
		columns: sources.map((source, i) => ({
			attnum: i + 1,
			name: names[i]!,
			type: source.type,
			notNull: false,
			defaultText: undefined,
			identity: undefined,
			missingText: undefined,
			dropped: false,
		})),
		nextAttnum: sources.length + 1,
		primary: await rowidIndex(editor, schema, name),
		indexes: [],
		checks: [],
		foreignKeys: [],
		rewrite: undefined,
		...storageOf(editor),
		...endOf(statement),
	};
	await editor.put(table);
	if (statement.withoutData) {
		return statement.as!.kind === "query" ? "CREATE TABLE AS" : "SELECT 0";
	}
	const writer = new TableWriter(tableCodec(table), []);
	const env = new Env(
		await executionFor(state, block),
		plan.readArguments(lexed.literals, parameters, state.context),
	);
	let count = 0;
	for await (const batch of plan.run(env)) {
		for (const row of batch) {
			writer.insert(row, await writer.newKeySlowly(row, env), env);
			count++;
		}
		await env.execution.store.flush();
	}
	return `SELECT ${count}`;
}
