/** CREATE VIEW, and what ALTER VIEW does to columns. */
import { DatabaseError } from "@quorate/keys/database-error";
import { authorizeSchemas } from "../auth/authorize.ts";
import type { ColumnDescriptor, ViewDescriptor } from "../catalog/descriptor.ts";
import { type NamedObject, relationOf } from "../catalog/snapshot.ts";
import { isTemporary } from "../catalog/temporary.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Query, Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { bindQuery } from "../plan/bind-query.ts";
import { Binder } from "../plan/binder.ts";
import type { RelationColumn } from "../plan/relation.ts";
import { storedQuery, ViewMaking } from "../plan/view-names.ts";
import { placed } from "../session/prepared.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { unplaced } from "./unplaced.ts";
import { checkOptionIn, withCheckOption } from "./view-options.ts";

type CreateView = Extract<Statement, { kind: "create-view" }>;
type Made = Pick<
	ViewDescriptor,
	"query" | "searchPath" | "references" | "types" | "definition" | "columns"
>;

export async function createView(
	editor: SchemaEditor,
	statement: CreateView,
	lexed: LexedStatement,
): Promise<string> {
	refuseContents(statement.query);
	const checkOption = statement.check?.scope ?? checkOptionIn(statement.options);
	const made = withCheckOption(make(editor, statement, lexed), checkOption);
	const [schema, name] = await editor.targetOf(
		{ ...statement.name, at: -1 },
		isToBeTemporary(editor, statement, made),
	);
	const before = editor.catalog.object(schema, name);
	if (before !== undefined && !statement.replace) throw alreadyExists(name);
	if (before !== undefined && before.kind !== "view") {
		throw new DatabaseError("42809", `"${name}" is not a view`);
	}
	if (before === undefined) {
		const oid = await editor.newId();
		await editor.put({ kind: "view", oid, schema, name, ...made });
		return "CREATE VIEW";
	}
	const { checkOption: _before, ...view } = before.view;
	editor.requireOwner(view);
	refuseCircle(editor, view, made);
	await editor.put({ ...view, ...made, columns: replacedColumns(view, made.columns) });
	return "CREATE VIEW";
}

/** What reads temporary tables is temporary, whether or not that was said: throws 42P16 where it is to be in another schema. */
function isToBeTemporary(
	{ catalog, state }: SchemaEditor,
	{ temporary, name }: CreateView,
	{ references }: Made,
): boolean {
	if (temporary) return true;
	const isOfSession = references.some(({ oid }) => {
		const relation = catalog.relation(oid);
		return relation !== undefined && isTemporary(relation);
	});
	if (!isOfSession) return false;
	const base = name.parts.at(-1)!;
	state.notice("NOTICE", "00000", `view "${base}" will be a temporary view`);
	return true;
}

/** Throws 0A000. */
function refuseContents(query: Query): void {
	if (query.body.kind === "select" && query.body.into !== undefined) {
		throw new DatabaseError("0A000", "views must not contain SELECT INTO");
	}
	if (query.body.kind === "select" && query.body.asOf !== undefined) {
		throw new DatabaseError("0A000", "AS OF SYSTEM TIME is not supported in a view", {
			hint: "Give it to the query that reads the view.",
		});
	}
	if (query.with.some((one) => one.query.kind !== "query")) {
		throw new DatabaseError("0A000", "views must not contain data-modifying statements in WITH");
	}
}

/** Binds the query as it will be read from the catalog. */
function make(editor: SchemaEditor, statement: CreateView, lexed: LexedStatement): Made {
	const { state, catalog } = editor;
	const start = lexed.offset + statement.queryAt;
	const { check, end: nextAt } = statement;
	const endAt = check?.at ?? nextAt;
	const end = endAt === undefined ? lexed.queryEnd : lexed.offset + endAt;
	const written = lexed.query.slice(start, end).trim();
	const [before, behind] = statement.recursive === true ? recursionAround(statement) : ["", ""];
	const text = before + written + behind;
	const binder = new Binder(
		{
			catalog,
			virtualTable: state.services.virtualTable,
			searchPath: state.context.searchPath,
			context: state.context,
		},
		[],
		[],
	);
	const making = new ViewMaking();
	binder.made = making;
	const query = storedQuery(text);
	let bound: ReturnType<typeof bindQuery>;
	try {
		bound = bindQuery(binder, query, undefined);
		authorizeSchemas(catalog, state.identity.currentOid, binder.access.collected());
	} catch (error) {
		// The text begins where EXPLAIN has been put before it.
		const prefix = "explain ".length + before.length;
		const position = error instanceof DatabaseError ? (error.fields.position ?? 0) : 0;
		const isWithin = position > prefix && position <= prefix + written.length + 1;
		throw isWithin ? placed(error, statement.queryAt - prefix) : unplaced(error);
	}
	const columns = namedColumns(statement, bound.columns);
	return {
		query: text,
		searchPath: state.context.searchPath,
		references: making.references(binder.access.collected()),
		types: [...making.types.values()],
		definition: [` ${text};`],
		columns,
	};
}

/** What stands around the query of a recursive view. */
function recursionAround({ name, columns }: CreateView): readonly [string, string] {
	const own = quoteIdentifier(name.parts.at(-1)!);
	const names = columns.map(quoteIdentifier);
	return [
		`WITH RECURSIVE ${own}(${names.join(", ")}) AS (\n         `,
		`\n        )\n SELECT ${names.map((one) => `${own}.${one}`).join(",\n    ")}\n   FROM ${own}`,
	];
}

/** Throws 42601, 42701, 42P16. */
function namedColumns(
	{ columns: names }: CreateView,
	bound: readonly RelationColumn[],
): readonly ColumnDescriptor[] {
	if (names.length > bound.length) {
		throw new DatabaseError("42601", "CREATE VIEW specifies more column names than columns");
	}
	const columns = bound.map(({ name, type }, i) => newColumn(i + 1, names[i] ?? name, type));
	const seen = new Set<string>();
	for (const { name, type } of columns) {
		if (seen.has(name)) {
			throw new DatabaseError("42701", `column "${name}" specified more than once`);
		}
		seen.add(name);
		if (typeByOid(type.oid)?.category === "P") {
			throw new DatabaseError("42P16", `column "${name}" has pseudo-type ${formatType(type)}`);
		}
	}
	return columns;
}

const newColumn = (
	attnum: number,
	name: string,
	type: ColumnDescriptor["type"],
): ColumnDescriptor => ({
	attnum,
	name,
	type,
	notNull: false,
	defaultText: undefined,
	identity: undefined,
	missingText: undefined,
	dropped: false,
});

/** Those that are there stay as they are; more may follow. Throws 42P16. */
function replacedColumns(
	{ columns: before }: ViewDescriptor,
	now: readonly ColumnDescriptor[],
): readonly ColumnDescriptor[] {
	const refused = (message: string, hint?: string): DatabaseError =>
		new DatabaseError("42P16", message, hint === undefined ? {} : { hint });
	if (now.length < before.length) throw refused("cannot drop columns from view");
	return now.map((column, i) => {
		const was = before[i];
		if (was === undefined) return column;
		if (was.name !== column.name) {
			throw refused(
				`cannot change name of view column "${was.name}" to "${column.name}"`,
				"Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
			);
		}
		if (was.type.oid !== column.type.oid || was.type.modifier !== column.type.modifier) {
			throw refused(
				`cannot change data type of view column "${was.name}" from ${formatType(was.type)} to ${formatType(column.type)}`,
			);
		}
		return was;
	});
}

/** A view that would come to read itself. Throws 42P17. */
function refuseCircle(
	{ catalog }: SchemaEditor,
	view: ViewDescriptor,
	{ references }: Pick<ViewDescriptor, "references">,
): void {
	const seen = new Set<number>();
	const visit = (oids: readonly number[]): void => {
		for (const oid of oids) {
			if (oid === view.oid) {
				throw new DatabaseError(
					"42P17",
					`infinite recursion detected in rules for relation "${view.name}"`,
				);
			}
			if (seen.has(oid)) continue;
			seen.add(oid);
			const relation = catalog.relation(oid);
			if (relation?.kind === "view") visit(relation.references.map((one) => one.oid));
		}
	};
	visit(references.map(({ oid }) => oid));
}

export async function renameViewColumn(
	editor: SchemaEditor,
	found: NamedObject,
	from: string,
	to: string,
): Promise<void> {
	if (found.kind !== "view") throw new DatabaseError("42809", "only views are renamed here");
	const view = found.view;
	editor.requireOwner(relationOf(found));
	if (!view.columns.some(({ name }) => name === from)) {
		throw new DatabaseError("42703", `column "${from}" does not exist`);
	}
	if (view.columns.some(({ name }) => name === to)) {
		throw new DatabaseError("42701", `column "${to}" of relation "${view.name}" already exists`);
	}
	const columns = view.columns.map((one) => (one.name === from ? { ...one, name: to } : one));
	await editor.put({ ...view, columns });
}
