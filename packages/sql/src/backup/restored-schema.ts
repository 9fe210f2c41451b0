/** The tables and sequences that a restore makes: those of the backup under new numbers. */

import { DatabaseError } from "@quorate/keys/database-error";
import type { Acl } from "../catalog/acl.ts";
import {
	type CheckDescriptor,
	type ColumnDescriptor,
	columnByAttnum,
	type ForeignKeyDescriptor,
	type IndexColumnDescriptor,
	type IndexDescriptor,
	isKnownNotNull,
	liveAttributes,
	liveColumns,
	type RelationDescriptor,
	type SequenceDescriptor,
	storedTexts,
	type TableDescriptor,
	type TypeDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import { refersTo } from "../catalog/sequence-references.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { alreadyExists, namesOf, typeExists } from "../ddl/schema-editor.ts";
import { droppedColumn } from "../ddl/without-column.ts";
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn, withTypeReferences } from "../types/enum-types.ts";
import {
	arrayOfMade,
	compositeOid,
	enumOid,
	isComposite,
	isEnum,
	isMade,
	isMadeArray,
	namedOid,
} from "../types/made-oids.ts";
import type { Work } from "./work.ts";

/** `table` undefined: all that there is. */
export interface RestoreTarget {
	readonly table: { readonly schema: string; readonly name: string } | undefined;
}

export interface Chosen {
	readonly tables: readonly TableDescriptor[];
	readonly sequences: readonly SequenceDescriptor[];
	/** With a whole database; types also with a table that has one of them. */
	readonly views: readonly ViewDescriptor[];
	readonly types: readonly TypeDescriptor[];
}

/** Throws 42P01 where the table was not there, 42P07 where a name is taken. */
export function choose(
	relations: readonly RelationDescriptor[],
	{ table: wanted }: RestoreTarget,
	present: CatalogSnapshot,
): Chosen {
	const tables = relations.filter(
		(one): one is TableDescriptor =>
			one.kind === "table" &&
			(wanted === undefined || (one.schema === wanted.schema && one.name === wanted.name)),
	);
	if (wanted !== undefined && tables.length === 0) {
		throw new DatabaseError(
			"42P01",
			`relation "${wanted.name}" is not in the backup at that timestamp`,
		);
	}
	const oids = new Set(tables.map(({ oid }) => oid));
	const sequences = relations.filter(
		(one): one is SequenceDescriptor =>
			one.kind === "sequence" &&
			!isOfComing(one, relations) &&
			(wanted === undefined ||
				(one.ownedBy !== undefined && oids.has(one.ownedBy.tableOid)) ||
				(isUsed(one, tables) && present.object(one.schema, one.name) === undefined)),
	);
	const views =
		wanted === undefined
			? relations.filter((one): one is ViewDescriptor => one.kind === "view")
			: [];
	const types = neededTypes(relations, wanted === undefined ? undefined : tables);
	for (const { schema, name } of types) {
		if (present.type(schema, name) !== undefined) throw typeExists(name);
	}
	for (const relation of [...tables, ...sequences, ...views]) {
		const taken = namesOf(relation).find(
			(name) => present.object(relation.schema, name) !== undefined,
		);
		if (taken !== undefined) throw alreadyExists(taken);
	}
	return { tables, sequences, views, types };
}

/** Those that the tables have, and that these are made of; `tables` undefined: all. */
function neededTypes(
	relations: readonly RelationDescriptor[],
	tables: readonly TableDescriptor[] | undefined,
): readonly TypeDescriptor[] {
	const types = relations.filter((one): one is TypeDescriptor => one.kind === "type");
	if (tables === undefined) return types;
	const needed = new Set(types.filter((type) => tables.some((table) => hasType(table, type))));
	for (const type of needed) {
		for (const one of types) if (isMadeOf(type, one.oid)) needed.add(one);
	}
	return [...needed];
}

function isMadeOf(type: TypeDescriptor, oid: number): boolean {
	if (type.of === "enum") return false;
	if (type.of === "composite") return liveAttributes(type).some((one) => isOf(one.type, oid));
	const { base, defaultText = "", checks } = type;
	const named = [defaultText, ...checks.map(({ text }) => text)].flatMap(typesNamedIn);
	return isOf(base, oid) || named.map(namedOid).includes(oid);
}

const isOf = ({ oid: of, domain }: SqlType, oid: number): boolean =>
	namedOid(domain ?? 0) === oid || namedOid(of) === oid;

/** A column is of it, or an expression names it. */
function hasType(table: TableDescriptor, { oid }: TypeDescriptor): boolean {
	return (
		liveColumns(table).some(({ type }) => isOf(type, oid)) ||
		storedTexts(table).some((text) => typesNamedIn(text).map(namedOid).includes(oid))
	);
}

/** A default names it. */
function isUsed(sequence: SequenceDescriptor, tables: readonly TableDescriptor[]): boolean {
	return tables.some((table) =>
		liveColumns(table).some(({ defaultText }) => refersTo(defaultText, sequence)),
	);
}

/** All numbers that must be new. */
export function numbersOf({ tables, sequences, views, types }: Chosen): readonly number[] {
	const numbers = new Set<number>();
	for (const table of tables) {
		numbers.add(table.oid);
		for (const one of [...table.checks, ...table.foreignKeys]) numbers.add(one.oid);
		for (const index of [table.primary, ...table.indexes]) {
			numbers.add(index.oid);
			numbers.add(index.indexId);
			if (index.constraintOid !== undefined) numbers.add(index.constraintOid);
		}
	}
	for (const sequence of sequences) {
		numbers.add(sequence.oid);
		numbers.add(sequence.valueId);
	}
	for (const { oid } of views) numbers.add(oid);
	for (const type of types) {
		for (const { oid } of [type, ...partsOf(type)]) numbers.add(oid);
	}
	return [...numbers];
}

function partsOf(type: TypeDescriptor): readonly { readonly oid: number }[] {
	if (type.of === "composite") return [];
	return type.of === "enum" ? type.values : type.checks;
}

export type Renumbering = ReadonlyMap<number, number>;

/** Enums and composite types have ranges of their own. */
export const newNumber = (old: number, id: number): number =>
	isEnum(old) ? enumOid(id) : isComposite(old) ? compositeOid(id) : id;

function retyped(numbers: Renumbering, type: SqlType): SqlType {
	const { domain, ...base } = type;
	return {
		...base,
		oid: rebased(numbers, base.oid),
		...(domain === undefined ? {} : { domain: renamedArray(numbers, domain) }),
	};
}

function rebased(numbers: Renumbering, oid: number): number {
	return isMade(namedOid(oid)) ? renamedArray(numbers, oid) : oid;
}

/** Of a type that somebody has made, or of its array. */
function renamedArray(numbers: Renumbering, oid: number): number {
	const number = numbers.get(namedOid(oid))!;
	return isMadeArray(oid) ? arrayOfMade(number) : number;
}

/** An expression of the catalog. */
const rewritten = (numbers: Renumbering, text: string): string =>
	withTypeReferences(text, (oid) =>
		numbers.has(namedOid(oid)) ? renamedArray(numbers, oid) : oid,
	);

function withTypes(numbers: Renumbering, column: ColumnDescriptor): ColumnDescriptor {
	const { defaultText, generatedText } = column;
	return {
		...column,
		type: retyped(numbers, column.type),
		defaultText: defaultText && rewritten(numbers, defaultText),
		...(generatedText === undefined ? {} : { generatedText: rewritten(numbers, generatedText) }),
	};
}

export function restoredType(type: TypeDescriptor, numbers: Renumbering): TypeDescriptor {
	const oid = numbers.get(type.oid)!;
	if (type.of === "enum") {
		const values = type.values.map((one) => ({ ...one, oid: numbers.get(one.oid)! }));
		return { ...withoutOwner(type), oid, values };
	}
	if (type.of === "composite") {
		const attributes = type.attributes.map((one) =>
			one.dropped ? one : { ...one, type: retyped(numbers, one.type) },
		);
		return { ...withoutOwner(type), oid, attributes };
	}
	const { defaultText } = type;
	return {
		...withoutOwner(type),
		oid,
		base: retyped(numbers, type.base),
		...(defaultText === undefined ? {} : { defaultText: rewritten(numbers, defaultText) }),
		checks: type.checks.map((check) => restoredCheck(check, numbers)),
	};
}

const restoredCheck = (check: CheckDescriptor, numbers: Renumbering): CheckDescriptor => ({
	...check,
	oid: numbers.get(check.oid)!,
	text: rewritten(numbers, check.text),
});

function renumbered(numbers: Renumbering, index: IndexDescriptor): IndexDescriptor {
	const { constraintOid, predicate, labels } = index;
	return {
		...index,
		columns: index.columns.map((column) => withoutOldTypes(numbers, column)),
		...(predicate === undefined ? {} : { predicate: rewritten(numbers, predicate) }),
		...(labels === undefined
			? {}
			: { labels: labels.map((one) => ({ ...one, type: rebased(numbers, one.type) })) }),
		oid: numbers.get(index.oid)!,
		indexId: numbers.get(index.indexId)!,
		constraintOid: constraintOid === undefined ? undefined : numbers.get(constraintOid)!,
	};
}

function withoutOldTypes(
	numbers: Renumbering,
	column: IndexColumnDescriptor,
): IndexColumnDescriptor {
	const { expression } = column;
	if (expression === undefined) return column;
	const { text, type } = expression;
	return {
		...column,
		expression: { ...expression, text: rewritten(numbers, text), type: retyped(numbers, type) },
	};
}

/** With all its indexes, but for those that were being built: S3 has promised nothing of them. */
export function restoredTable(
	work: Work,
	table: TableDescriptor,
	numbers: Renumbering,
): TableDescriptor {
	const built = table.indexes.filter(({ state }) => state === "public");
	for (const { name, state } of table.indexes) {
		if (state !== "public")
			work.tell(`index "${name}" was not finished at that time: it is left out`);
	}
	const { validating: _jobs, ...settled } = withoutOwner(table);
	return {
		...settled,
		oid: numbers.get(table.oid)!,
		columns: withoutPromises(work, table).map((column) =>
			column.dropped ? column : withTypes(numbers, column),
		),
		primary: renumbered(numbers, table.primary),
		indexes: built.map((index) => renumbered(numbers, index)),
		checks: table.checks.map((check) => restoredCheck(check, numbers)),
		foreignKeys: table.foreignKeys.flatMap((key) => restoredKey(work, table, key, numbers)),
		rewrite: undefined,
	};
}

/** None if the table that it refers to is not restored with it. */
function restoredKey(
	work: Work,
	table: TableDescriptor,
	key: ForeignKeyDescriptor,
	numbers: Renumbering,
): readonly ForeignKeyDescriptor[] {
	const referencedTable = numbers.get(key.referencedTable);
	const referencedIndex = numbers.get(key.referencedIndex);
	if (referencedTable === undefined || referencedIndex === undefined) {
		work.tell(
			`foreign key "${key.name}" of table "${table.name}" refers to a table that is not restored: it is left out`,
		);
		return [];
	}
	return [{ ...key, oid: numbers.get(key.oid)!, referencedTable, referencedIndex }];
}

/** Of a column that was to come with a rewrite of its table. */
function isOfComing(
	{ ownedBy }: SequenceDescriptor,
	relations: readonly RelationDescriptor[],
): boolean {
	const table = relations.find(({ oid }) => oid === ownedBy?.tableOid);
	return table?.kind === "table" && columnByAttnum(table, ownedBy!.attnum).dropped;
}

/** A primary key that was being made has its columns NOT NULL from the beginning, though rows may have contradicted. */
function withoutPromises(work: Work, table: TableDescriptor): TableDescriptor["columns"] {
	const { rewrite, primary } = table;
	const columns = table.columns.map(({ acl: _there, ...column }) => {
		if (column.dropped) return droppedColumn(column);
		if (isKnownNotNull(table, column)) return column;
		if (column.notNull) {
			work.tell(
				`rows of table "${table.name}" were being looked at for NOT NULL of ${column.name} at that time: it is left out`,
			);
		}
		return { ...column, notNull: false };
	});
	const change = rewrite?.change;
	const isKey = rewrite !== undefined && change === undefined;
	const promised = new Set(isKey ? (rewrite.madeNotNull ?? newIn(rewrite.primary, primary)) : []);
	for (const { state, madeNotNull = [] } of table.indexes) {
		if (state !== "public") for (const attnum of madeNotNull) promised.add(attnum);
	}
	const names = [...promised].map((attnum) => columnByAttnum(table, attnum).name);
	const left = names.length === 0 ? "" : `NOT NULL of ${names.join(", ")} is left out`;
	if (change !== undefined) {
		work.tell(`${change.kind} of table "${table.name}" was under way at that time: it is left out`);
	}
	if (isKey) {
		work.tell(
			`table "${table.name}" was being given another primary key at that time: it keeps the one before` +
				(left === "" ? "" : `, and ${left}`),
		);
	} else if (left !== "") {
		work.tell(`table "${table.name}" was being given a primary key at that time: ${left}`);
	}
	return columns.map((column) =>
		promised.has(column.attnum) ? { ...column, notNull: false } : column,
	);
}

/** Columns of one index that are not in another. */
const newIn = (index: IndexDescriptor, other: IndexDescriptor): readonly number[] => {
	const known = new Set(other.columns.map(({ attnum }) => attnum));
	return index.columns.map(({ attnum }) => attnum).filter((attnum) => !known.has(attnum));
};

/** Roles are of a cluster: what comes from another belongs to the role that this one was born with. */
function withoutOwner<T extends { readonly owner?: number; readonly acl?: Acl }>(
	descriptor: T,
): Omit<T, "owner" | "acl"> {
	const { owner: _there, acl: _lists, ...rest } = descriptor;
	return rest;
}

export function restoredSequence(
	sequence: SequenceDescriptor,
	numbers: Renumbering,
): SequenceDescriptor {
	const { ownedBy } = sequence;
	const owner = ownedBy && numbers.get(ownedBy.tableOid);
	return {
		...withoutOwner(sequence),
		oid: numbers.get(sequence.oid)!,
		valueId: numbers.get(sequence.valueId)!,
		ownedBy: ownedBy && owner !== undefined ? { ...ownedBy, tableOid: owner } : undefined,
	};
}

/** What it reads of the system has the same numbers everywhere. */
export function restoredView(view: ViewDescriptor, numbers: Renumbering): ViewDescriptor {
	const renumber = (oid: number): number => numbers.get(oid) ?? oid;
	return {
		...withoutOwner(view),
		oid: renumber(view.oid),
		columns: view.columns.map((column) => withTypes(numbers, column)),
		references: view.references.map((one) => ({ ...one, oid: renumber(one.oid) })),
		...(view.types === undefined
			? {}
			: { types: view.types.map((one) => ({ ...one, oid: renumber(one.oid) })) }),
		definition: [` ${view.query};`],
	};
}
