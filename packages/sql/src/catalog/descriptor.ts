/**
 * Descriptors: what the catalog knows of a table or a sequence. They are stored as ordinary transactional rows (see
 * `keys.ts`), one JSON document an object, and are immutable in memory: a schema change writes a new descriptor.
 *
 * Object ids are PostgreSQL's OIDs and come from the placement group, so they are never reused. A *physical* index has an
 * `indexId` of its own, the prefix of its keys: TRUNCATE and a change of primary key (S4, S5) give a table new physical
 * indexes while the object ids stay.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn } from "../types/enum-types.ts";
import type { IntervalStyle } from "../types/interval-text.ts";
import { isComposite, isDomainArray, isMade, namedOid } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import type { Acl } from "./acl.ts";
import type { Collated } from "./collations.ts";
import type { Configuration } from "./configuration.ts";
import type { InDatabase } from "./database.ts";
import { inPublic } from "./sequence-references.ts";

/** OID of the role that owns it; absent: the one that the cluster was born with. */
interface Owned {
	readonly owner?: number;
	/** Who was granted what; absent: the default list (`acl.ts`). */
	readonly acl?: Acl;
}

/** COMMENT ON. */
interface Commented {
	readonly comment?: string;
}

export interface ColumnDescriptor extends Commented, Collated {
	/** pg_attribute.attnum, from 1; also names the column in stored rows. Never reused within a table. */
	readonly attnum: number;
	readonly name: string;
	readonly type: SqlType;
	readonly notNull: boolean;
	/** Text of the default expression, as pg_get_expr shows it. Undefined: NULL. */
	readonly defaultText: string | undefined;
	/** GENERATED ... AS IDENTITY. */
	readonly identity: "always" | "by default" | undefined;
	/** GENERATED ALWAYS AS (...) STORED: text of the expression, over the other columns. */
	readonly generatedText?: string;
	/** Value, in text format, of rows written before the column was added. Undefined: NULL. */
	readonly missingText: string | undefined;
	/** Dropped columns stay in the list so that attnums stay unique; they have no name in scope. */
	readonly dropped: boolean;
	/** Rights on this column, beside those on the table. */
	readonly acl?: Acl;
}

/**
 * `write-only`: maintained by writers, not read (S3): being built, or on its way out. `public`: usable.
 */
export type IndexState = "write-only" | "public";

/** What an index has of a row in the place of a column: an expression over the row's columns that means the same at all times. */
export interface IndexExpression {
	/** As pg_get_expr shows it, with types by their numbers. */
	readonly text: string;
	readonly type: SqlType;
	/** What the index's own column is called. */
	readonly name: string;
}

export interface IndexColumnDescriptor extends Collated {
	/** 0: it is an expression. */
	readonly attnum: number;
	readonly descending: boolean;
	/** Where NULLs are not as usual: ascending columns have them last, descending ones first. */
	readonly nullsFirst?: boolean;
	/** Name of its operator class, where that is not its type's: kept, and shown. */
	readonly operatorClass?: string;
	/** Present where `attnum` is 0. */
	readonly expression?: IndexExpression;
}

/** A constant of an enum in an expression of an index: evaluating that asks no catalog. */
export interface IndexLabel {
	readonly type: number;
	readonly label: string;
	readonly sortKey: string;
}

export interface IndexDescriptor extends Commented {
	/** OID of the index, and its name in the table's schema. */
	readonly oid: number;
	readonly name: string;
	/** Physical prefix of its keys; see `indexPrefix`. */
	readonly indexId: number;
	/** Empty for the primary index of a table without primary key: its keys are hidden row ids. */
	readonly columns: readonly IndexColumnDescriptor[];
	readonly unique: boolean;
	readonly state: IndexState;
	/** Name of the PRIMARY KEY or UNIQUE constraint behind it, which is the index's name, and the constraint's OID. */
	readonly constraintOid: number | undefined;
	/**
	 * UNIQUE or PRIMARY KEY ... DEFERRABLE. Rows may share a key for a while, so the index is none that is unique, and the primary index
	 * of the table is another (`execute/unique-checks.ts`).
	 */
	readonly deferrable?: { readonly initiallyDeferred: boolean; readonly primaryKey: boolean };
	/** Of a deferrable primary key that is being built: attnums that it has made NOT NULL; they are not if it cannot be. */
	readonly madeNotNull?: readonly number[];
	/** Of a partial index: text of the condition that its rows meet. */
	readonly predicate?: string;
	/** INCLUDE: attnums of columns that are no part of its key. Its entries lead to whole rows, which have them. */
	readonly included?: readonly number[];
	/** Of one that is unique: NULL is a value like any other. */
	readonly nullsNotDistinct?: true;
	/** Labels that predicate and expressions name. */
	readonly labels?: readonly IndexLabel[];
	/** COMMENT ON CONSTRAINT, which is not one on the index. */
	readonly constraintComment?: string;
}

export interface CheckDescriptor extends Commented {
	readonly oid: number;
	readonly name: string;
	/** Text of the condition, without the outer CHECK ( ). */
	readonly text: string;
	/** NOT VALID: only what is written since is known to satisfy it. */
	readonly notValid?: true;
	/** NO INHERIT. */
	readonly noInherit?: true;
}

export type ReferentialAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

/** FOREIGN KEY, kept by the table that refers. */
export interface ForeignKeyDescriptor extends Commented {
	readonly oid: number;
	readonly name: string;
	/** attnums, and those of the referenced table that they are compared with. */
	readonly columns: readonly number[];
	readonly referencedTable: number;
	readonly referencedColumns: readonly number[];
	/** OID of the unique index of the referenced table that is looked at; it has exactly those columns, in whatever order. */
	readonly referencedIndex: number;
	readonly onDelete: ReferentialAction;
	readonly onUpdate: ReferentialAction;
	/** ON DELETE SET NULL (...), SET DEFAULT (...): attnums; empty: all. */
	readonly setColumns: readonly number[];
	readonly matchFull: boolean;
	readonly deferrable: boolean;
	readonly initiallyDeferred: boolean;
	/** False: NOT VALID; only what is written since is known to be right. */
	readonly validated: boolean;
}

export interface TableDescriptor extends Commented, Owned, InDatabase {
	readonly kind: "table";
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	/** All columns ever, in attnum order, dropped ones included. */
	readonly columns: readonly ColumnDescriptor[];
	readonly nextAttnum: number;
	/** Holds the rows. `columns` empty: hidden row ids; else it is the PRIMARY KEY. */
	readonly primary: IndexDescriptor;
	readonly indexes: readonly IndexDescriptor[];
	readonly checks: readonly CheckDescriptor[];
	readonly foreignKeys: readonly ForeignKeyDescriptor[];
	/** Being filled to take over (S5), if any: writers maintain it too. */
	readonly rewrite: TableRewrite | undefined;
	/** What is being looked at, if anything; never empty. */
	readonly validating?: readonly Validation[];
	/** Where its rows and indexes are to be; absent: as the database's. */
	readonly configuration?: Configuration;
	/** Its values of char(n) are stored without the blanks at their end. Settled when the table is made. */
	readonly unpadded?: true;
	/** Of a temporary table, which is never stored: ON COMMIT DELETE ROWS, DROP. */
	readonly onCommit?: "delete" | "drop";
	/** Of a temporary table: what `fieldsIn` said when it was made or rewritten. */
	readonly fields?: string;
}

/** Of a constraint that writers keep by now: whether the rows from before do is being found out (`ddl/validate-rows.ts`). */
export interface Validation {
	/** Of the job. */
	readonly id: number;
	/** What takes it back: the constraint goes, or stays NOT VALID. */
	readonly kind: "ADD CHECK" | "ADD FOREIGN KEY" | "VALIDATE CONSTRAINT" | "SET NOT NULL";
	/** Object id of the constraint, which is NOT VALID meanwhile; of SET NOT NULL the column's attnum. */
	readonly of: number;
}

/** A second set of physical indexes: entries point to primary keys, so all of them change with the primary one. */
export interface TableRewrite {
	readonly primary: IndexDescriptor;
	readonly indexes: readonly IndexDescriptor[];
	/** Columns that the change made NOT NULL, to be undone if it fails. */
	readonly madeNotNull?: readonly number[];
	/** What becomes of the rows; absent: they stay as they are, and get a primary key. */
	readonly change?: RewriteChange;
}

/** Rows become others under the second set of indexes (`plan/row-conversion.ts`), and the table has them once that takes over. */
export interface RewriteChange {
	/** Of the job. */
	readonly id: number;
	readonly kind: "ALTER COLUMN TYPE" | "ADD COLUMN" | "DROP CONSTRAINT" | "DROP COLUMN";
	/** Columns that come: attnums of those that are dropped until then. */
	readonly added: readonly number[];
	readonly altered: readonly AlteredColumn[];
	/** That come with them. */
	readonly checks: readonly CheckDescriptor[];
	/** attnum of the column that goes. */
	readonly dropped?: number;
	/**
	 * Id of a physical index that leads from the old key of each row to its new one; absent: the new key is the old one under the new
	 * prefix.
	 */
	readonly places?: number;
	/** Of the session that has asked for it: values are made with them, whoever makes them. */
	readonly settings: RewriteSettings;
}

export interface AlteredColumn extends Collated {
	readonly attnum: number;
	readonly type: SqlType;
	/** Text of an expression over the old row that is assigned to it. */
	readonly text: string;
}

/** What an expression may depend on beside its row. Points in time: microseconds since 2000-01-01 UTC, as decimal text. */
export interface RewriteSettings {
	readonly timeZone: string;
	readonly dateStyle: string;
	/** Undefined: postgres. */
	readonly intervalStyle?: IntervalStyle | undefined;
	readonly extraFloatDigits: number;
	readonly byteaOutput: "hex" | "escape";
	readonly transactionStart: string;
	readonly statementStart: string;
}

/** Of the job that fills it. */
export const rewriteId = ({ primary, change }: TableRewrite): number => change?.id ?? primary.oid;

export interface SequenceDescriptor extends Commented, Owned, InDatabase {
	readonly kind: "sequence";
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	/** int2, int4 or int8. */
	readonly typeOid: number;
	/** 64-bit numbers as decimal text. */
	readonly start: string;
	readonly increment: string;
	readonly min: string;
	readonly max: string;
	readonly cache: number;
	readonly cycle: boolean;
	/** The column that owns it (SERIAL, IDENTITY, OWNED BY): dropped with it. */
	readonly ownedBy: { readonly tableOid: number; readonly attnum: number } | undefined;
	/** ALTER SEQUENCE ... RESTART WITH: what it begins with under this `valueId`, instead of `start`. */
	readonly restart?: string;
	/** The key of its current value is made from this; TRUNCATE ... RESTART IDENTITY takes a new one. */
	readonly valueId: number;
}

/** What a name of a relation means in a view, wherever it is looked up later. */
export interface ViewReference {
	/** Parts of the name, as it stands in the query. */
	readonly name: readonly string[];
	/** Of the table or view; of a table of the system, its own. */
	readonly oid: number;
	/** Its columns as they were called when the view was made; those that have come since are not in sight. */
	readonly columns: readonly { readonly attnum: number; readonly name: string }[];
	/** attnums of those that the view needs. */
	readonly used: readonly number[];
}

export interface ViewType {
	readonly name: readonly string[];
	readonly oid: number;
}

/** A query that is kept under a name. What it means was settled when it was made, whatever is renamed, added or moved since. */
export interface ViewDescriptor extends Commented, Owned, InDatabase {
	readonly kind: "view";
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	readonly columns: readonly ColumnDescriptor[];
	/** As it was written, without parameters. */
	readonly query: string;
	/** Schemas in which names of types, and of what is converted to regclass, are looked up. */
	readonly searchPath: readonly string[];
	readonly references: readonly ViewReference[];
	/** What names of types meant that somebody has made. */
	readonly types?: readonly ViewType[];
	/** WITH CHECK OPTION. Builds that do not know it change nothing through views. */
	readonly checkOption?: "local" | "cascaded";
	/** What builds show that do not write the query anew whenever it is asked for (`view-definition.ts`): texts, and once names, too. */
	readonly definition: readonly unknown[];
}

/** A value of an enum. None is ever taken away. */
export interface EnumValue {
	/** OID of its row in pg_enum. */
	readonly oid: number;
	readonly label: string;
	/** What rows and keys have in its place (`types/enum-order.ts`). */
	readonly sortKey: string;
}

/** A type that somebody has made; it is looked up beside the relations, and has names of its own. */
export interface EnumDescriptor extends Commented, Owned, InDatabase {
	readonly kind: "type";
	readonly of: "enum";
	/** `enumOid` made it: its array has one, too. */
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	/** In their order. */
	readonly values: readonly EnumValue[];
}

/** A type with conditions on its values, which are those of another. */
export interface DomainDescriptor extends Commented, Collated, Owned, InDatabase {
	readonly kind: "type";
	readonly of: "domain";
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	/** With the domain that it is itself one of, if any. */
	readonly base: SqlType;
	readonly notNull: boolean;
	/** Text of the default expression, at first that of the domain which it is made of. Undefined: NULL. */
	readonly defaultText?: string;
	/** Over VALUE. */
	readonly checks: readonly CheckDescriptor[];
}

export interface AttributeDescriptor extends Commented, Collated {
	/** From 1, as a column's; never reused within the type. */
	readonly attnum: number;
	readonly name: string;
	readonly type: SqlType;
	/** Stays in the list, like a column. */
	readonly dropped: boolean;
}

/** CREATE TYPE ... AS (...): its name is one of a relation, too, whose object id is its own without what marks it as a type's. */
export interface CompositeDescriptor extends Commented, Owned, InDatabase {
	readonly kind: "type";
	readonly of: "composite";
	/** `compositeOid` made it: its array has one, too. */
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	/** All ever, in attnum order. */
	readonly attributes: readonly AttributeDescriptor[];
}

export type TypeDescriptor = EnumDescriptor | DomainDescriptor | CompositeDescriptor;

export const liveAttributes = ({
	attributes,
}: CompositeDescriptor): readonly AttributeDescriptor[] =>
	attributes.filter(({ dropped }) => !dropped);

/** All that has a row and names of its own below `\x01d`. */
export type RelationDescriptor =
	| TableDescriptor
	| SequenceDescriptor
	| ViewDescriptor
	| TypeDescriptor;

/**
 * Raised when the JSON changes shape; a newer one is refused by name. Written is the lowest that says it all: what knows nothing of a
 * foreign key must not write its table. 2: foreign keys, generated columns. 3: views, where a sequence restarts. 4: where a
 * table's data are to be (only from that version of the cluster on: `@quorate/keys/cluster-version`). 5: types, and
 * whatever needs one (likewise). 6: unique constraints that are deferrable (likewise). 7: such a
 * constraint that is being built (likewise). 8: what is in another database than the first (likewise). 9: columns of the types
 * jsonpath and time with time zone (likewise). 10: constraints whose rows are being looked at (likewise). 11: indexes
 * that are partial, on expressions, or with NULLs at their other end (likewise). 12: composite types, arrays of domains, and
 * whatever needs one (likewise). 13: tables whose rows become others (likewise). 14: columns of type xid8 (likewise).
 * 15: tables whose values of char(n) are stored without the blanks at their end (likewise).
 */
export const descriptorFormat = 15;

function formatOf(descriptor: RelationDescriptor): number {
	if (descriptor.kind === "table" && descriptor.unpadded) return 15;
	if (needsXid8(descriptor)) return 14;
	if (descriptor.kind === "table" && descriptor.rewrite?.change !== undefined) return 13;
	if (needsComposites(descriptor)) return 12;
	if (needsIndexForms(descriptor)) return 11;
	if (descriptor.kind === "table" && descriptor.validating !== undefined) return 10;
	if (needsLaterTypes(descriptor)) return 9;
	if (descriptor.database !== undefined) return 8;
	if (needsDeferrableBuild(descriptor)) return 7;
	if (needsDeferrable(descriptor)) return 6;
	if (needsTypes(descriptor)) return 5;
	if (descriptor.kind === "view" || descriptor.kind === "type") return 3;
	if (descriptor.kind === "sequence") return descriptor.restart === undefined ? 1 : 3;
	if (descriptor.configuration !== undefined) return 4;
	const isNew =
		descriptor.foreignKeys.length > 0 ||
		descriptor.columns.some(({ generatedText }) => generatedText !== undefined);
	return isNew ? 2 : 1;
}

/** Who does not know of it would let keys be shared. */
export const needsDeferrable = (relation: RelationDescriptor): boolean =>
	relation.kind === "table" && relation.indexes.some(({ deferrable }) => deferrable !== undefined);

/** Who does not know of it would make an index usable without a look at the keys that rows share. */
export const needsDeferrableBuild = (relation: RelationDescriptor): boolean =>
	relation.kind === "table" &&
	relation.indexes.some(({ deferrable, state }) => deferrable !== undefined && state !== "public");

/** Those that not all builds know that can types that somebody has made. */
const laterTypes: ReadonlySet<number> = new Set([
	OID.jsonpath,
	OID.jsonpathArray,
	OID.timetz,
	OID.timetzArray,
]);

const isXid8 = ({ oid }: SqlType): boolean => oid === OID.xid8 || oid === OID.xid8Array;

/** Likewise of what has a type of its own. */
export function needsXid8(relation: RelationDescriptor): boolean {
	if (relation.kind === "sequence") return false;
	if (relation.kind !== "type") return relation.columns.some(({ type }) => isXid8(type));
	if (relation.of === "domain") return isXid8(relation.base);
	return relation.of === "composite" && relation.attributes.some(({ type }) => isXid8(type));
}

/** Builds that do not know the type of a column cannot read the rows. */
export const needsLaterTypes = (relation: RelationDescriptor): boolean =>
	(relation.kind === "table" || relation.kind === "view") &&
	relation.columns.some(({ type }) => laterTypes.has(type.oid));

/** As pg_attribute has them: those of the key first. */
export const attributesOf = ({
	columns,
	included = [],
}: Pick<IndexDescriptor, "columns" | "included">): readonly IndexColumnDescriptor[] => [
	...columns,
	...included.map((attnum) => ({ attnum, descending: false })),
];

/** Who does not know of them would write other entries. */
export const needsIndexForms = (relation: RelationDescriptor): boolean =>
	relation.kind === "table" &&
	relation.indexes.some(
		({ predicate, columns, included, nullsNotDistinct }) =>
			predicate !== undefined ||
			included !== undefined ||
			nullsNotDistinct !== undefined ||
			columns.some(
				({ expression, nullsFirst }) => expression !== undefined || nullsFirst !== undefined,
			),
	);

/** Whether it is a type that somebody has made, or needs one. */
export function needsTypes(relation: RelationDescriptor): boolean {
	if (relation.kind === "type") return true;
	if (relation.kind === "sequence") return false;
	const isOfOne = relation.columns.some(
		({ type }) => type.domain !== undefined || isMade(namedOid(type.oid)),
	);
	if (isOfOne) return true;
	if (relation.kind === "view") return (relation.types ?? []).length > 0;
	return storedTexts(relation).some((text) => typesNamedIn(text).length > 0);
}

/** Whether it is a type that older builds do not know, or needs one. */
export function needsComposites(relation: RelationDescriptor): boolean {
	if (relation.kind === "sequence") return false;
	if (relation.kind === "type") {
		if (relation.of === "enum") return false;
		if (relation.of === "composite") return true;
		const texts = [relation.defaultText ?? "", ...relation.checks.map(({ text }) => text)];
		return isLater(relation.base) || texts.flatMap(typesNamedIn).some(isLaterOid);
	}
	if (relation.columns.some(({ type }) => isLater(type))) return true;
	if (relation.kind === "view") return (relation.types ?? []).some(({ oid }) => isLaterOid(oid));
	return storedTexts(relation).some((text) => typesNamedIn(text).some(isLaterOid));
}

const isLaterOid = (oid: number): boolean => isComposite(namedOid(oid)) || isDomainArray(oid);

const isLater = ({ oid, domain = 0 }: SqlType): boolean => isLaterOid(oid) || isLaterOid(domain);

/** All expressions that a table keeps. */
export const storedTexts = ({ columns, checks, indexes }: TableDescriptor): readonly string[] => [
	...columns.flatMap(({ defaultText, generatedText, dropped }) =>
		dropped ? [] : [defaultText, generatedText].filter((text) => text !== undefined),
	),
	...checks.map(({ text }) => text),
	...indexes.flatMap(indexTexts),
];

/** With others in their place. */
export function withStoredTexts(
	table: TableDescriptor,
	change: (text: string) => string,
): TableDescriptor {
	const changed = (index: IndexDescriptor): IndexDescriptor => ({
		...index,
		columns: index.columns.map((column) =>
			column.expression === undefined
				? column
				: { ...column, expression: { ...column.expression, text: change(column.expression.text) } },
		),
		...(index.predicate === undefined ? {} : { predicate: change(index.predicate) }),
	});
	return {
		...table,
		columns: table.columns.map((column) => {
			const { defaultText, generatedText, dropped } = column;
			if (dropped) return column;
			return {
				...column,
				defaultText: defaultText && change(defaultText),
				...(generatedText === undefined ? {} : { generatedText: change(generatedText) }),
			};
		}),
		checks: table.checks.map((check) => ({ ...check, text: change(check.text) })),
		indexes: table.indexes.map(changed),
	};
}

/** The expressions of an index, and its predicate. */
export const indexTexts = ({ columns, predicate }: IndexDescriptor): readonly string[] => [
	...columns.flatMap(({ expression }) => (expression === undefined ? [] : [expression.text])),
	...(predicate === undefined ? [] : [predicate]),
];

export const hasNullsFirst = ({ descending, nullsFirst }: IndexColumnDescriptor): boolean =>
	nullsFirst ?? descending;

/** The type of a column of an index. */
export const indexColumnType = (
	table: TableDescriptor,
	{ attnum, expression }: IndexColumnDescriptor,
): SqlType => expression?.type ?? columnByAttnum(table, attnum).type;

export function encodeDescriptor(descriptor: RelationDescriptor): Uint8Array {
	return Buffer.from(JSON.stringify({ format: formatOf(descriptor), ...descriptor }), "utf8");
}

export function decodeDescriptor(bytes: Uint8Array): RelationDescriptor {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const { format, ...descriptor } = JSON.parse(text) as RelationDescriptor & { format: number };
	if (format > descriptorFormat) {
		throw new DatabaseError(
			"0A000",
			`catalog row has format ${format}, this node knows up to ${descriptorFormat}`,
			{ hint: "Upgrade this node." },
		);
	}
	assert(descriptor.oid > 0, "a descriptor has an object id");
	if (descriptor.kind !== "table") return descriptor as RelationDescriptor;
	return {
		...descriptor,
		columns: descriptor.columns.map(withSchemas),
		foreignKeys: descriptor.foreignKeys ?? [],
	};
}

function withSchemas(column: ColumnDescriptor): ColumnDescriptor {
	const { defaultText } = column;
	return defaultText === undefined ? column : { ...column, defaultText: inPublic(defaultText) };
}

/** A copy with that comment; undefined, or an empty text, takes it away. */
export function withComment<T extends Commented>(commented: T, text: string | undefined): T {
	const { comment: _before, ...rest } = commented;
	return (text === undefined || text === "" ? rest : { ...rest, comment: text }) as T;
}

/** Rights on single ones may have been granted. */
export const hasColumns = (
	relation: RelationDescriptor,
): relation is TableDescriptor | ViewDescriptor =>
	relation.kind === "table" || relation.kind === "view";

export const liveColumns = (table: TableDescriptor): readonly ColumnDescriptor[] =>
	table.columns.some((column) => column.dropped)
		? table.columns.filter((column) => !column.dropped)
		: table.columns;

/** Unique, if not at all times. */
export const isUnique = ({ unique, deferrable }: IndexDescriptor): boolean =>
	unique || deferrable !== undefined;

/** What PRIMARY KEY has made; undefined: nothing has. */
export const primaryKeyOf = (table: TableDescriptor): IndexDescriptor | undefined =>
	hasPrimaryKey(table)
		? table.primary
		: table.indexes.find(({ deferrable }) => deferrable?.primaryKey === true);

/** Whether that holds the rows: rows are known by it. */
export const hasPrimaryKey = (table: TableDescriptor): boolean => table.primary.columns.length > 0;

export function columnByAttnum(table: TableDescriptor, attnum: number): ColumnDescriptor {
	const column = table.columns[attnum - 1];
	assert(column?.attnum === attnum, () => `table ${table.oid} has no column ${attnum}`);
	return column;
}

/** The table as it will be once its rewrite takes over. */
export function rewritten(table: TableDescriptor): TableDescriptor | undefined {
	const { rewrite } = table;
	if (rewrite === undefined) return undefined;
	const { primary, indexes, change } = rewrite;
	const moved = { ...table, primary, indexes, rewrite: undefined };
	if (change === undefined) return moved;
	const columns = table.columns.map((column): ColumnDescriptor => {
		if (change.added.includes(column.attnum)) return { ...column, dropped: false };
		const altered = change.altered.find(({ attnum }) => attnum === column.attnum);
		return altered === undefined ? column : { ...ofType(column, altered), missingText: undefined };
	});
	return { ...moved, columns, checks: [...table.checks, ...change.checks] };
}

/** A copy with another type, and the collation that was said of that. */
export function ofType<T extends Collated & { readonly type: SqlType }>(
	column: T,
	{ type, collation }: Collated & { readonly type: SqlType },
): T {
	const { collation: _before, ...rest } = column;
	return { ...rest, type, ...(collation === undefined ? {} : { collation }) } as T;
}

/** No row has NULL there: not only what is written from now on. */
export const isKnownNotNull = (
	{ validating = [] }: TableDescriptor,
	{ notNull, attnum }: ColumnDescriptor,
): boolean =>
	notNull && !validating.some(({ kind, of }) => kind === "SET NOT NULL" && of === attnum);

export const isGenerated = ({ generatedText }: ColumnDescriptor): boolean =>
	generatedText !== undefined;
