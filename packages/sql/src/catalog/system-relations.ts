/** The tables of pg_catalog that describe tables, sequences, indexes and constraints. */

import { ownerOf } from "../auth/privileges.ts";
import { arrayOf } from "../types/array-values.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { isEnum, objectIdOf, rowTypeOid } from "../types/made-oids.ts";
import { typeByOid } from "../types/registry.ts";
import { builtinDescriptions } from "./builtin-descriptions.ts";
import type {
	CheckDescriptor,
	ColumnDescriptor,
	CompositeDescriptor,
	DomainDescriptor,
	ForeignKeyDescriptor,
	IndexColumnDescriptor,
	IndexDescriptor,
	ReferentialAction,
	SequenceDescriptor,
	TableDescriptor,
	ViewDescriptor,
} from "./descriptor.ts";
import {
	attributesOf,
	columnByAttnum,
	hasNullsFirst,
	indexColumnType,
	isGenerated,
	isKnownNotNull,
	isUnique,
	liveAttributes,
	liveColumns,
} from "./descriptor.ts";
import { extensions } from "./extensions.ts";
import { checkedColumns } from "./indexed-columns.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import { isPrimary } from "./system-definitions.ts";
import {
	btreeOid,
	heapOid,
	isTable,
	namespaceOid,
	ownerOid,
	pgClassOid,
	pgConstraintOid,
	pgExtensionOid,
	pgLanguageOid,
	pgNamespaceOid,
	pgTypeOid,
} from "./system-names.ts";
import { operatorClassOid } from "./system-operators.ts";
import { aclDatum } from "./system-privileges.ts";
import { systemShapes } from "./system-shape.ts";
import type { SystemRow } from "./system-table.ts";
import { collationIn, languages, typeData } from "./system-types.ts";
import { isTemporarySchema } from "./temporary.ts";

const array = (elements: readonly Datum[], lower = 1): Datum => ({
	kind: "array",
	elements,
	lower,
});

export const tablesOf = (catalog: CatalogSnapshot): readonly TableDescriptor[] =>
	catalog.relations().filter(isTable);

export const sequencesOf = (catalog: CatalogSnapshot): readonly SequenceDescriptor[] =>
	catalog.relations().filter((r): r is SequenceDescriptor => r.kind === "sequence");

export const viewsOf = (catalog: CatalogSnapshot): readonly ViewDescriptor[] =>
	catalog.relations().filter((r): r is ViewDescriptor => r.kind === "view");

/** Default expressions have no OIDs of their own: made from table and column, above all that are handed out. */
export const defaultOid = (table: TableDescriptor, attnum: number): number =>
	0x8000_0000 + ((table.oid * 2048 + attnum) % 0x7fff_ffff);

const classRow = (
	catalog: CatalogSnapshot,
	{ oid, schema, name }: { readonly oid: number; readonly schema: string; readonly name: string },
): SystemRow => ({
	oid,
	relname: name,
	relnamespace: namespaceOid(catalog, schema),
	relowner: ownerOid,
	relfilenode: oid,
	relpersistence: isTemporarySchema(schema) ? "t" : "p",
	relispopulated: true,
	relreplident: "n",
});

export function* classRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const { oid, schema, name, kind, columns } of systemShapes) {
		yield {
			...classRow(catalog, { oid, schema, name }),
			relkind: kind,
			relnatts: columns.length,
			relam: kind === "r" ? heapOid : 0,
			reltuples: -1,
		};
	}
	for (const relation of catalog.relations()) {
		if (relation.kind === "sequence") {
			yield {
				...classRow(catalog, relation),
				relowner: ownerOf(relation),
				relacl: aclDatum(catalog, relation.acl),
				relkind: "S",
				relnatts: 3,
				relpages: 1,
				reltuples: 1,
			};
			continue;
		}
		if (relation.kind === "view") {
			yield {
				...classRow(catalog, relation),
				relfilenode: 0,
				relowner: ownerOf(relation),
				relacl: aclDatum(catalog, relation.acl),
				relkind: "v",
				reltype: rowTypeOid(relation.oid),
				reloptions: viewOptions(relation),
				relnatts: relation.columns.length,
				relhasrules: true,
				reltuples: -1,
			};
			continue;
		}
		if (relation.kind === "type") {
			if (relation.of !== "composite") continue;
			yield {
				...classRow(catalog, { ...relation, oid: objectIdOf(relation.oid) }),
				relfilenode: 0,
				relowner: ownerOf(relation),
				relkind: "c",
				reltype: relation.oid,
				relnatts: relation.attributes.length,
			};
			continue;
		}
		yield {
			...classRow(catalog, relation),
			relowner: ownerOf(relation),
			relacl: aclDatum(catalog, relation.acl),
			relkind: "r",
			reltype: rowTypeOid(relation.oid),
			relam: heapOid,
			relnatts: relation.columns.length,
			relchecks: relation.checks.length,
			relhasindex: namedIndexes(relation).length > 0,
			// PostgreSQL's foreign keys are triggers; psql looks for them only where there is one.
			relhastriggers:
				relation.foreignKeys.length > 0 || catalog.referrersOf(relation.oid).length > 0,
			reltuples: -1,
			relreplident: "d",
		};
		for (const index of namedIndexes(relation)) {
			yield {
				...classRow(catalog, { oid: index.oid, schema: relation.schema, name: index.name }),
				relowner: ownerOf(relation),
				relkind: "i",
				relam: btreeOid,
				relnatts: attributesOf(index).length,
			};
		}
	}
}

const plain = (oid: number): SqlType => ({ oid, modifier: -1 });

function attributeRow(
	relation: number,
	attnum: number,
	name: string,
	{ oid: typeOid, modifier, domain }: SqlType,
	collation?: number,
): SystemRow {
	const type = typeData(typeOid);
	return {
		attrelid: relation,
		attname: name,
		atttypid: domain ?? typeOid,
		attstattarget: -1,
		attlen: type?.length ?? (isEnum(typeOid) ? 4 : -1),
		attnum,
		attndims: 0,
		attcacheoff: -1,
		// A domain has its modifier itself.
		atttypmod: domain === undefined ? modifier : -1,
		attbyval: type?.byValue ?? isEnum(typeOid),
		attalign: type?.align ?? "i",
		attstorage: type?.storage ?? (isEnum(typeOid) ? "p" : "x"),
		attislocal: true,
		attcollation: collation ?? type?.collation ?? 0,
	};
}

function columnRow(
	catalog: CatalogSnapshot,
	table: TableDescriptor,
	column: ColumnDescriptor,
): SystemRow {
	const { attnum, type } = column;
	if (column.dropped) return droppedRow(table.oid, attnum);
	return {
		...attributeRow(table.oid, attnum, column.name, type, collationIn(catalog, column)),
		attndims: dimensionsOf(type),
		attnotnull: isKnownNotNull(table, column),
		atthasdef:
			isGenerated(column) || (column.defaultText !== undefined && column.identity === undefined),
		attgenerated: isGenerated(column) ? "s" : "",
		atthasmissing: column.missingText !== undefined,
		attidentity: column.identity === undefined ? "" : column.identity === "always" ? "a" : "d",
	};
}

function* compositeRows(
	catalog: CatalogSnapshot,
	{ oid, attributes }: CompositeDescriptor,
): Iterable<SystemRow> {
	const relation = objectIdOf(oid);
	for (const attribute of attributes) {
		const { attnum, name, type, dropped } = attribute;
		yield dropped
			? droppedRow(relation, attnum)
			: {
					...attributeRow(relation, attnum, name, type, collationIn(catalog, attribute)),
					attndims: dimensionsOf(type),
				};
	}
}

const droppedRow = (relation: number, attnum: number): SystemRow => ({
	...attributeRow(relation, attnum, `........pg.dropped.${attnum}........`, plain(0)),
	attisdropped: true,
});

/** PostgreSQL tells as many as were declared. All that asks wants to know whether there are any. */
const dimensionsOf = ({ oid }: SqlType): number => (typeByOid(oid)?.category === "A" ? 1 : 0);

let systemAttributes: readonly SystemRow[] | undefined;

/** The same in every database, so made once. */
function systemAttributeRows(): readonly SystemRow[] {
	systemAttributes ??= systemShapes.flatMap(({ oid, columns }) =>
		columns.map(({ name, type, modifier, notNull }, i) => ({
			...attributeRow(oid, i + 1, name, { oid: type.oid, modifier }),
			attnotnull: notNull,
		})),
	);
	return systemAttributes;
}

export function* attributeRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	yield* systemAttributeRows();
	for (const relation of catalog.relations()) {
		if (relation.kind === "sequence") {
			const { oid } = relation;
			yield { ...attributeRow(oid, 1, "last_value", plain(20)), attnotnull: true };
			yield { ...attributeRow(oid, 2, "log_cnt", plain(20)), attnotnull: true };
			yield { ...attributeRow(oid, 3, "is_called", plain(16)), attnotnull: true };
			continue;
		}
		if (relation.kind === "view") {
			for (const column of relation.columns) {
				const { attnum, name, type } = column;
				yield {
					...attributeRow(relation.oid, attnum, name, type, collationIn(catalog, column)),
					attacl: aclDatum(catalog, column.acl),
				};
			}
			continue;
		}
		if (relation.kind === "type") {
			if (relation.of === "composite") yield* compositeRows(catalog, relation);
			continue;
		}
		for (const column of relation.columns) {
			yield { ...columnRow(catalog, relation, column), attacl: aclDatum(catalog, column.acl) };
		}
		for (const index of namedIndexes(relation)) {
			for (const [i, column] of attributesOf(index).entries()) {
				const { name } = column.expression ?? columnByAttnum(relation, column.attnum);
				const type = indexColumnType(relation, column);
				const collation = indexCollation(catalog, relation, column);
				yield attributeRow(index.oid, i + 1, name, type, collation);
			}
		}
	}
}

export function* defaultRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const table of tablesOf(catalog)) {
		for (const { attnum, defaultText, generatedText, identity } of liveColumns(table)) {
			const text = generatedText ?? (identity === undefined ? defaultText : undefined);
			if (text !== undefined) {
				const oid = defaultOid(table, attnum);
				yield { oid, adrelid: table.oid, adnum: attnum, adbin: text };
			}
		}
	}
}

/** Its own, or that of the column. */
const indexCollation = (
	catalog: CatalogSnapshot,
	table: TableDescriptor,
	column: IndexColumnDescriptor,
): number =>
	column.collation ??
	collationIn(catalog, column.expression ?? columnByAttnum(table, column.attnum));

function indexRow(
	catalog: CatalogSnapshot,
	table: TableDescriptor,
	index: IndexDescriptor,
): SystemRow {
	const types = index.columns.map((column) => indexColumnType(table, column).oid);
	const expressions = index.columns.flatMap(({ expression }) => expression?.text ?? []);
	const ready = index.state === "public";
	return {
		indexrelid: index.oid,
		indrelid: table.oid,
		indnatts: attributesOf(index).length,
		indnkeyatts: index.columns.length,
		indisunique: isUnique(index),
		indnullsnotdistinct: index.nullsNotDistinct === true,
		indisprimary: isPrimary(table, index),
		indimmediate: index.deferrable === undefined,
		indisvalid: ready,
		indisready: true,
		indislive: true,
		indkey: array(
			attributesOf(index).map(({ attnum }) => attnum),
			0,
		),
		indcollation: array(
			index.columns.map((column) => indexCollation(catalog, table, column)),
			0,
		),
		indclass: array(
			types.map((oid, i) => operatorClassOid(oid, index.columns[i]!.operatorClass)),
			0,
		),
		indoption: array(
			index.columns.map((column) => (column.descending ? 1 : 0) + (hasNullsFirst(column) ? 2 : 0)),
			0,
		),
		indexprs: expressions.length === 0 ? null : expressions.join(", "),
		indpred: index.predicate ?? null,
	};
}

export function* indexRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const table of tablesOf(catalog)) {
		for (const index of namedIndexes(table)) {
			yield indexRow(catalog, table, index);
		}
	}
}

export interface NamedConstraint {
	readonly oid: number;
	readonly name: string;
	readonly table: TableDescriptor;
	readonly of:
		| { readonly kind: "key"; readonly index: IndexDescriptor }
		| { readonly kind: "check"; readonly check: TableDescriptor["checks"][number] }
		| { readonly kind: "foreign-key"; readonly key: ForeignKeyDescriptor };
}

export function* constraintsOf(catalog: CatalogSnapshot): Iterable<NamedConstraint> {
	for (const table of tablesOf(catalog)) {
		for (const check of table.checks) {
			yield { oid: check.oid, name: check.name, table, of: { kind: "check", check } };
		}
		for (const index of namedIndexes(table)) {
			if (index.constraintOid !== undefined) {
				const { constraintOid: oid, name } = index;
				yield { oid, name, table, of: { kind: "key", index } };
			}
		}
		for (const key of table.foreignKeys) {
			yield { oid: key.oid, name: key.name, table, of: { kind: "foreign-key", key } };
		}
	}
}

export const keyType = (table: TableDescriptor, index: IndexDescriptor): "p" | "u" =>
	isPrimary(table, index) ? "p" : "u";

const actionLetters: Readonly<Record<ReferentialAction, string>> = {
	"no action": "a",
	restrict: "r",
	cascade: "c",
	"set null": "n",
	"set default": "d",
};

/** What constraints of other kinds do not have. */
function foreignKeyRow(key: ForeignKeyDescriptor): SystemRow {
	return {
		contype: "f",
		condeferrable: key.deferrable,
		condeferred: key.initiallyDeferred,
		convalidated: key.validated,
		conindid: key.referencedIndex,
		confrelid: key.referencedTable,
		confupdtype: actionLetters[key.onUpdate],
		confdeltype: actionLetters[key.onDelete],
		confmatchtype: key.matchFull ? "f" : "s",
		connoinherit: true,
		conkey: array(key.columns),
		confkey: array(key.referencedColumns),
		...(key.setColumns.length > 0 ? { confdelsetcols: array(key.setColumns) } : {}),
	};
}

/** The conditions of domains. */
export function* domainChecksOf(
	catalog: CatalogSnapshot,
): Iterable<{ readonly domain: DomainDescriptor; readonly check: CheckDescriptor }> {
	for (const domain of catalog.types()) {
		if (domain.of !== "domain") continue;
		for (const check of domain.checks) yield { domain, check };
	}
}

export function* constraintRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const { domain, check } of domainChecksOf(catalog)) {
		yield {
			oid: check.oid,
			conname: check.name,
			connamespace: namespaceOid(catalog, domain.schema),
			contype: "c",
			convalidated: check.notValid === undefined,
			contypid: domain.oid,
			confupdtype: " ",
			confdeltype: " ",
			confmatchtype: " ",
			conislocal: true,
			conbin: check.text,
		};
	}
	for (const { oid, name, table, of } of constraintsOf(catalog)) {
		const row = {
			oid,
			conname: name,
			connamespace: namespaceOid(catalog, table.schema),
			convalidated: true,
			conrelid: table.oid,
			confupdtype: " ",
			confdeltype: " ",
			confmatchtype: " ",
			conislocal: true,
		};
		if (of.kind === "check") {
			const convalidated = of.check.notValid === undefined;
			const connoinherit = of.check.noInherit === true;
			const columns = checkedColumns(table, of.check);
			const conkey = columns.length === 0 ? {} : { conkey: array(columns) };
			yield { ...row, contype: "c", convalidated, connoinherit, ...conkey, conbin: of.check.text };
		} else if (of.kind === "foreign-key") {
			yield { ...row, ...foreignKeyRow(of.key) };
		} else {
			yield {
				...row,
				contype: keyType(table, of.index),
				condeferrable: of.index.deferrable !== undefined,
				condeferred: of.index.deferrable?.initiallyDeferred === true,
				conindid: of.index.oid,
				connoinherit: true,
				conkey: array(of.index.columns.map(({ attnum }) => attnum)),
			};
		}
	}
}

export function* sequenceRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const sequence of sequencesOf(catalog)) {
		yield {
			seqrelid: sequence.oid,
			seqtypid: sequence.typeOid,
			seqstart: BigInt(sequence.start),
			seqincrement: BigInt(sequence.increment),
			seqmax: BigInt(sequence.max),
			seqmin: BigInt(sequence.min),
			seqcache: BigInt(sequence.cache),
			seqcycle: sequence.cycle,
		};
	}
}

/** WITH CHECK OPTION is one of them. */
const viewOptions = ({ checkOption }: ViewDescriptor): Datum =>
	checkOption === undefined ? null : arrayOf([`check_option=${checkOption}`]);

/** A view is a rule in PostgreSQL, and it is the rule that depends on what the view reads. Above all OIDs that are handed out. */
export const ruleOid = (view: ViewDescriptor): number => 0x7fff_ffff - (view.oid % 0x1000_0000);

export function* ruleRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const view of viewsOf(catalog)) {
		yield {
			oid: ruleOid(view),
			rulename: "_RETURN",
			ev_class: view.oid,
			ev_type: "1",
			ev_enabled: "O",
			is_instead: true,
		};
	}
}

/** What there is in every database, and what COMMENT ON has said. */
export function* descriptionRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const [classoid, descriptions] of builtinDescriptions()) {
		for (const [objoid, description] of descriptions) {
			yield { objoid, classoid, objsubid: 0, description };
		}
	}
	yield* commentRows(catalog);
}

/** COMMENT ON. */
export function* commentRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	const row = (objoid: number, classoid: number, objsubid: number, description?: string) =>
		description === undefined ? [] : [{ objoid, classoid, objsubid, description }];
	for (const { oid, comment } of extensions) yield* row(oid, pgExtensionOid, 0, comment);
	for (const { oid, comment } of languages) yield* row(oid, pgLanguageOid, 0, comment);
	for (const { oid, comment } of catalog.schemas.all()) yield* row(oid, pgNamespaceOid, 0, comment);
	for (const relation of catalog.relations()) {
		const isType = relation.kind === "type";
		yield* row(relation.oid, isType ? pgTypeOid : pgClassOid, 0, relation.comment);
		if (relation.kind === "type" && relation.of === "composite") {
			for (const { attnum, comment } of liveAttributes(relation)) {
				yield* row(objectIdOf(relation.oid), pgClassOid, attnum, comment);
			}
		}
		if (relation.kind === "sequence" || relation.kind === "type") continue;
		for (const column of relation.columns) {
			if (!column.dropped) yield* row(relation.oid, pgClassOid, column.attnum, column.comment);
		}
		if (relation.kind === "view") continue;
		for (const index of namedIndexes(relation)) {
			yield* row(index.oid, pgClassOid, 0, index.comment);
			yield* row(index.constraintOid ?? 0, pgConstraintOid, 0, index.constraintComment);
		}
		for (const one of [...relation.checks, ...relation.foreignKeys]) {
			yield* row(one.oid, pgConstraintOid, 0, one.comment);
		}
	}
}
