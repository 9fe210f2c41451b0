/** CREATE, ALTER and DROP DOMAIN. What a domain asks of its values is looked for in all columns before it is asked. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import {
	type CheckDescriptor,
	type ColumnDescriptor,
	type DomainDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { Env } from "../execute/env.ts";
import type { ColumnConstraint, Expression, QualifiedName, Statement } from "../parser/ast.ts";
import { storedExpression } from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { type Compiled, compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { bindDomainCheck, domainOf, domainsOf } from "../plan/domains.ts";
import { Planner } from "../plan/plan-query.ts";
import { Layout } from "../plan/relation.ts";
import { collationOf, resolveTypeName } from "../plan/type-name.ts";
import { binderFor, executionFor } from "../session/evaluate.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { isDomainArray } from "../types/made-oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { defaultText } from "./column-definition.ts";
import { shownName } from "./describe.ts";
import { typeNamed } from "./enums.ts";
import { type SchemaEditor, typeExists } from "./schema-editor.ts";
import { binderIn, storedText } from "./stored-expression.ts";
import { partUser } from "./type-users.ts";
import { unplaced } from "./unplaced.ts";
import { wholeTable } from "./whole-table.ts";

type CreateDomain = Extract<Statement, { kind: "create-domain" }>;
type AlterDomain = Extract<Statement, { kind: "alter-domain" }>;
type Check = Extract<ColumnConstraint, { kind: "check" }>;

const impossible: Readonly<Record<string, string>> = dictionary({
	"primary-key": "primary key constraints",
	unique: "unique constraints",
	references: "foreign key constraints",
	identity: "identity columns",
	generated: "generated columns",
});

/** Throws 42601, 0A000. */
function refuseImpossible(constraints: readonly ColumnConstraint[]): void {
	for (const { kind, at } of constraints) {
		const place = { position: at + 1 };
		const what = impossible[kind];
		if (what !== undefined) {
			throw new DatabaseError("42601", `${what} not possible for domains`, place);
		}
	}
	if (constraints.some((one) => one.kind === "check" && one.noInherit)) {
		throw new DatabaseError("42P17", "check constraints for domains cannot be marked NO INHERIT");
	}
	const has = (kind: string): boolean => constraints.some((one) => one.kind === kind);
	if (has("null") && has("not-null")) {
		throw new DatabaseError("42601", "conflicting NULL/NOT NULL constraints");
	}
	if (constraints.filter(({ kind }) => kind === "default").length > 1) {
		throw new DatabaseError("42601", "multiple default expressions");
	}
}

/** Throws 42704, 42804, 0A000. */
function baseType(editor: SchemaEditor, { type: name }: CreateDomain): SqlType {
	const type = resolveTypeName(name, editor.types);
	editor.requireUsage(type);
	const found = typeByOid(type.oid);
	if (found !== undefined && found.category !== "P" && type.oid !== 705) return type;
	throw new DatabaseError("42804", `"${formatType(type)}" is not a valid base type for a domain`);
}

const inheritedDefault = (editor: SchemaEditor, { domain }: SqlType): string | undefined =>
	domain === undefined || isDomainArray(domain)
		? undefined
		: domainOf(editor.catalog, domain).defaultText;

export async function createDomain(editor: SchemaEditor, statement: CreateDomain): Promise<string> {
	try {
		await editor.put(await newDomain(editor, statement));
	} catch (error) {
		throw unplaced(error);
	}
	return "CREATE DOMAIN";
}

async function newDomain(editor: SchemaEditor, statement: CreateDomain): Promise<DomainDescriptor> {
	const [schema, name] = await editor.targetOf({ ...statement.name, at: -1 }, false);
	if (editor.catalog.type(schema, name) !== undefined) throw typeExists(name);
	const { constraints } = statement;
	const base = baseType(editor, statement);
	refuseImpossible(constraints);
	const given = constraints.find((one) => one.kind === "default");
	const text =
		given === undefined
			? inheritedDefault(editor, base)
			: defaultText(editor, name, base, given.value);
	let domain: DomainDescriptor = {
		kind: "type",
		of: "domain",
		oid: await editor.newId(),
		schema,
		name,
		base,
		...collationOf(statement.type),
		notNull: constraints.some(({ kind }) => kind === "not-null"),
		...(text === undefined ? {} : { defaultText: text }),
		checks: [],
	};
	for (const one of constraints) {
		if (one.kind !== "check") continue;
		domain = { ...domain, checks: [...domain.checks, await newCheck(editor, domain, one)] };
	}
	return domain;
}

/** VALUE is no column. */
const valueText = (node: Expression): string | undefined =>
	node.kind === "column" && node.name.parts.join() === "value" ? "VALUE" : undefined;

/** Throws 42710, and what binding the condition throws. */
async function newCheck(
	editor: SchemaEditor,
	{ name, base, checks }: DomainDescriptor,
	{ name: given, condition }: Pick<Check, "name" | "condition">,
): Promise<CheckDescriptor> {
	const bind = (node: Expression): Bound => bindDomainCheck(binderIn(editor), base, node).condition;
	const text = storedText(editor, condition, bind, ["VALUE"], valueText);
	const isTaken = (one: string): boolean => checks.some((check) => check.name === one);
	if (given !== undefined && isTaken(given)) {
		throw new DatabaseError("42710", `constraint "${given}" for domain "${name}" already exists`);
	}
	let chosen = given ?? `${name}_check`;
	for (let n = 1; given === undefined && isTaken(chosen); n++) chosen = `${name}_check${n}`;
	return { oid: await editor.newId(), name: chosen, text };
}

/** Throws 42704, 42809. */
export function domainNamed(editor: SchemaEditor, name: QualifiedName): DomainDescriptor {
	const type = typeNamed(editor, name, "is not a domain");
	if (type.of === "domain") return type;
	throw new DatabaseError("42809", `${shownName(editor, type)} is not a domain`);
}

export async function alterDomain(editor: SchemaEditor, statement: AlterDomain): Promise<string> {
	const domain = domainNamed(editor, statement.name);
	editor.requireOwner(domain);
	const changed = await altered(editor, domain, statement.action);
	if (changed !== undefined) await editor.put(changed);
	return "ALTER DOMAIN";
}

/** Undefined: nothing changes. */
async function altered(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	action: AlterDomain["action"],
): Promise<DomainDescriptor | undefined> {
	switch (action.kind) {
		case "set-default":
			return withDefault(editor, domain, action.value);
		case "set-not-null":
			return withNotNull(editor, domain, action.notNull);
		case "add-constraint":
			return withConstraint(editor, domain, action.constraint, action.valid);
		case "drop-constraint":
			return withoutConstraint(editor, domain, action.name, action.ifExists);
		case "validate-constraint":
			return validated(editor, domain, action.name);
		case "rename-constraint":
			return withRenamed(editor, domain, action.from, action.to);
	}
}

function withDefault(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	value: Expression | undefined,
): DomainDescriptor {
	const { defaultText: _before, ...rest } = domain;
	const text = value && defaultText(editor, domain.name, domain.base, value);
	return text === undefined ? rest : { ...rest, defaultText: text };
}

async function withNotNull(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	notNull: boolean,
): Promise<DomainDescriptor> {
	if (notNull && !domain.notNull) {
		await checkColumns(
			editor,
			domain,
			(value) => value !== null,
			(table, column) =>
				new DatabaseError(
					"23502",
					`column "${column.name}" of table "${table.name}" contains null values`,
					{ schema: table.schema, table: table.name, column: column.name },
				),
		);
	}
	return { ...domain, notNull };
}

async function withConstraint(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	constraint: ColumnConstraint,
	valid: boolean,
): Promise<DomainDescriptor | undefined> {
	refuseImpossible([constraint]);
	if (constraint.kind === "not-null") return withNotNull(editor, domain, true);
	if (constraint.kind !== "check") return undefined;
	let check: CheckDescriptor;
	try {
		check = await newCheck(editor, domain, constraint);
	} catch (error) {
		throw unplaced(error);
	}
	if (valid) await checkAll(editor, domain, check);
	const made = valid ? check : ({ ...check, notValid: true } as const);
	return { ...domain, checks: [...domain.checks, made] };
}

const undefinedConstraint = (domain: DomainDescriptor, name: string): string =>
	`constraint "${name}" of domain "${domain.name}" does not exist`;

/** Throws 42704. */
function checkNamed(domain: DomainDescriptor, name: string): CheckDescriptor {
	const found = domain.checks.find((one) => one.name === name);
	if (found !== undefined) return found;
	throw new DatabaseError("42704", undefinedConstraint(domain, name));
}

function withoutConstraint(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	name: string,
	ifExists: boolean,
): DomainDescriptor | undefined {
	const found = domain.checks.find((one) => one.name === name);
	if (found === undefined && ifExists) {
		const message = `${undefinedConstraint(domain, name)}, skipping`;
		editor.state.notice("NOTICE", "00000", message);
		return undefined;
	}
	const gone = checkNamed(domain, name);
	return { ...domain, checks: domain.checks.filter((one) => one !== gone) };
}

async function validated(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	name: string,
): Promise<DomainDescriptor | undefined> {
	const check = checkNamed(domain, name);
	if (check.notValid === undefined) return undefined;
	await checkAll(editor, domain, check);
	const { notValid: _before, ...valid } = check;
	return { ...domain, checks: domain.checks.map((one) => (one === check ? valid : one)) };
}

function withRenamed(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	from: string,
	to: string,
): DomainDescriptor {
	const check = domain.checks.find(({ name }) => name === from);
	if (check === undefined) {
		throw new DatabaseError(
			"42704",
			`constraint "${from}" for domain ${shownName(editor, domain)} does not exist`,
		);
	}
	if (domain.checks.some(({ name }) => name === to)) {
		throw new DatabaseError(
			"42710",
			`constraint "${to}" for domain "${domain.name}" already exists`,
		);
	}
	return {
		...domain,
		checks: domain.checks.map((one) => (one === check ? { ...check, name: to } : one)),
	};
}

async function checkAll(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	{ text }: CheckDescriptor,
): Promise<void> {
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const { condition, relation } = bindDomainCheck(binder, domain.base, storedExpression(text));
	const root = CompileScope.root(new Planner(binder.environment.catalog));
	const compiled: Compiled = compile(condition, root.inner(Layout.of(relation)));
	const env = new Env(await executionFor(state, block), []);
	await checkColumns(
		editor,
		domain,
		async (value) => (await compiled.evaluate([value], env)) !== false,
		(table, column) =>
			new DatabaseError(
				"23514",
				`column "${column.name}" of table "${table.name}" contains values that violate the new constraint`,
				{ schema: table.schema, table: table.name, column: column.name },
			),
	);
}

/** Of what is in arrays and rows. Throws 0A000. */
function refuseParts({ catalog }: SchemaEditor, domain: DomainDescriptor): void {
	const made = [...catalog.types()].filter(
		(one) =>
			one.of === "domain" && domainsOf(catalog, one.oid).some(({ oid }) => oid === domain.oid),
	);
	for (const { oid } of made) {
		const user = partUser(catalog, oid);
		if (user === undefined) continue;
		throw new DatabaseError(
			"0A000",
			`cannot alter type "${domain.name}" because column "${user}" uses it`,
		);
	}
}

/** Looks at all values of the domain, and of those that are made of it. Throws what `refused` says. */
async function checkColumns(
	editor: SchemaEditor,
	domain: DomainDescriptor,
	holds: (value: Datum) => boolean | Promise<boolean>,
	refused: (table: TableDescriptor, column: ColumnDescriptor) => DatabaseError,
): Promise<void> {
	const { catalog } = editor;
	refuseParts(editor, domain);
	const isOf = ({ type: { domain: own } }: ColumnDescriptor): boolean =>
		own !== undefined &&
		!isDomainArray(own) &&
		domainsOf(catalog, own).some(({ oid }) => oid === domain.oid);
	for (const table of catalog.relations()) {
		if (table.kind !== "table") continue;
		const columns = [...liveColumns(table).entries()].filter(([, column]) => isOf(column));
		if (columns.length === 0) continue;
		for await (const page of wholeTable(editor, table)) {
			for (const { row } of page) {
				for (const [slot, column] of columns) {
					if (!(await holds(row[slot]!))) throw refused(table, column);
				}
			}
		}
	}
}
