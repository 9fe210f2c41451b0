/** The views of information_schema (SQL standard, as PostgreSQL has them). */

import { ownerOf } from "../auth/privileges.ts";
import {
	deleteEvent,
	insertEvent,
	isColumnUpdatable,
	updateEvent,
	updateEvents,
} from "../plan/view-updates.ts";
import type { Datum } from "../types/datum.ts";
import { isMade, isMadeArray, namedOid } from "../types/made-oids.ts";
import { type FunctionContext, formatType, typeByOid } from "../types/registry.ts";
import { collationName, collationOids } from "./collations.ts";
import type {
	ColumnDescriptor,
	SequenceDescriptor,
	TableDescriptor,
	ViewDescriptor,
} from "./descriptor.ts";
import { isGenerated, isKnownNotNull, liveColumns } from "./descriptor.ts";
import { schemaOwner } from "./schema.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { withVisibleNames } from "./system-names.ts";
import { sequencesOf, tablesOf, viewsOf } from "./system-relations.ts";
import { systemShapes } from "./system-shape.ts";
import type { SystemRow } from "./system-table.ts";
import { arrayName, collationIn } from "./system-types.ts";
import { isTemporarySchema } from "./temporary.ts";
import { typeDescriptor } from "./type-names.ts";
import { viewDefinition } from "./view-definition.ts";

const mayAll = (events: number, wanted: number): boolean => (events & wanted) === wanted;

export const yesNo = (value: boolean): string => (value ? "YES" : "NO");

export function* tableRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const row = { table_catalog: context.currentDatabase, is_typed: "NO" };
	for (const { schema, name, kind } of systemShapes) {
		const table_type = kind === "v" ? "VIEW" : "BASE TABLE";
		yield { ...row, table_schema: schema, table_name: name, table_type, is_insertable_into: "NO" };
	}
	for (const { schema, name } of tablesOf(catalog)) {
		yield {
			...row,
			table_schema: schema,
			table_name: name,
			table_type: isTemporarySchema(schema) ? "LOCAL TEMPORARY" : "BASE TABLE",
			is_insertable_into: "YES",
		};
	}
	for (const { oid, schema, name } of viewsOf(catalog)) {
		const is_insertable_into = yesNo(mayAll(updateEvents(catalog, oid), insertEvent));
		const where = { table_schema: schema, table_name: name };
		const table_type = isTemporarySchema(schema) ? "LOCAL TEMPORARY" : "VIEW";
		yield { ...row, ...where, table_type, is_insertable_into };
	}
}

export function* viewRows(catalog: CatalogSnapshot, context: FunctionContext): Iterable<SystemRow> {
	for (const view of viewsOf(catalog)) {
		yield {
			table_catalog: context.currentDatabase,
			table_schema: view.schema,
			table_name: view.name,
			// As in PostgreSQL, its text is for those who have the rights of its owner.
			view_definition: catalog.roles.hasRightsOf(context.currentRole, ownerOf(view))
				? viewDefinition(catalog, context, view)
				: null,
			check_option: (view.checkOption ?? "none").toUpperCase(),
			is_updatable: yesNo(mayAll(updateEvents(catalog, view.oid), updateEvent | deleteEvent)),
			is_insertable_into: yesNo(mayAll(updateEvents(catalog, view.oid), insertEvent)),
			is_trigger_updatable: "NO",
			is_trigger_deletable: "NO",
			is_trigger_insertable_into: "NO",
		};
	}
}

/** character_maximum_length and its kin, by type. */
function measures({ oid, modifier }: ColumnDescriptor["type"]): SystemRow {
	switch (oid) {
		case 21:
			return { numeric_precision: 16, numeric_precision_radix: 2, numeric_scale: 0 };
		case 23:
			return { numeric_precision: 32, numeric_precision_radix: 2, numeric_scale: 0 };
		case 20:
			return { numeric_precision: 64, numeric_precision_radix: 2, numeric_scale: 0 };
		case 700:
			return { numeric_precision: 24, numeric_precision_radix: 2 };
		case 701:
			return { numeric_precision: 53, numeric_precision_radix: 2 };
		case 1700: {
			if (modifier < 4) {
				return { numeric_precision_radix: 10 };
			}
			const packed = modifier - 4;
			return {
				numeric_precision: (packed >> 16) & 0xffff,
				numeric_precision_radix: 10,
				// Eleven bits with a sign.
				numeric_scale: ((packed & 0x7ff) ^ 0x400) - 0x400,
			};
		}
		case 1042:
		case 1043: {
			const length = modifier < 4 ? null : modifier - 4;
			return {
				character_maximum_length: length,
				character_octet_length: length === null ? 1 << 30 : length * 4,
			};
		}
		case 25:
			return { character_octet_length: 1 << 30 };
		case 1082:
			return { datetime_precision: 0 };
		case 1083:
		case 1266:
		case 1114:
		case 1184:
		case 1186:
			return { datetime_precision: modifier < 0 ? 6 : modifier };
		default:
			return {};
	}
}

function typeNameOf(catalog: CatalogSnapshot, oid: number): SystemRow {
	const made = typeDescriptor(catalog, namedOid(oid));
	if (made === undefined) {
		return { udt_schema: "pg_catalog", udt_name: typeByOid(oid)?.name ?? null };
	}
	const name = isMadeArray(oid) ? arrayName(catalog, made) : made.name;
	return { udt_schema: made.schema, udt_name: name };
}

function domainNameOf(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	oid: number | undefined,
): SystemRow {
	const domain = oid === undefined ? undefined : typeDescriptor(catalog, oid);
	if (domain === undefined) return {};
	const { schema: domain_schema, name: domain_name } = domain;
	return { domain_catalog: context.currentDatabase, domain_schema, domain_name };
}

function dataType(oid: number): string {
	const type = typeByOid(oid);
	if ((type?.elementOid ?? 0) !== 0 && type?.length === -1) return "ARRAY";
	return isMade(oid) ? "USER-DEFINED" : formatType({ oid, modifier: -1 });
}

/** Nothing where it is that of the database. */
const collationOf = (context: FunctionContext, oid: number): SystemRow =>
	oid === 0 || oid === collationOids["default"]
		? {}
		: {
				collation_catalog: context.currentDatabase,
				collation_schema: "pg_catalog",
				collation_name: collationName(oid),
			};

function columnRow(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	table: TableDescriptor | ViewDescriptor,
	column: ColumnDescriptor,
	sequence: SequenceDescriptor | undefined,
): SystemRow {
	const identity = column.identity !== undefined;
	const database = context.currentDatabase;
	const shown = (text: string): string => withVisibleNames(catalog, context, text);
	const row: Record<string, Datum> = {
		table_catalog: database,
		table_schema: table.schema,
		table_name: table.name,
		column_name: column.name,
		ordinal_position: column.attnum,
		column_default: identity || column.defaultText === undefined ? null : shown(column.defaultText),
		is_nullable: yesNo(table.kind === "view" || !isKnownNotNull(table, column)),
		data_type: dataType(column.type.oid),
		...measures(column.type),
		...collationOf(context, collationIn(catalog, column)),
		udt_catalog: database,
		...typeNameOf(catalog, column.type.oid),
		...domainNameOf(catalog, context, column.type.domain),
		dtd_identifier: String(column.attnum),
		is_self_referencing: "NO",
		is_identity: yesNo(identity),
		identity_cycle: "NO",
		is_generated: isGenerated(column) ? "ALWAYS" : "NEVER",
		generation_expression: column.generatedText === undefined ? null : shown(column.generatedText),
		is_updatable: yesNo(isColumnUpdatable(catalog, table.oid, column.attnum)),
	};
	if (identity) {
		row["identity_generation"] = column.identity === "always" ? "ALWAYS" : "BY DEFAULT";
		row["identity_start"] = sequence?.start ?? null;
		row["identity_increment"] = sequence?.increment ?? null;
		row["identity_maximum"] = sequence?.max ?? null;
		row["identity_minimum"] = sequence?.min ?? null;
		row["identity_cycle"] = yesNo(sequence?.cycle ?? false);
	}
	return row;
}

let systemColumns: readonly SystemRow[] | undefined;

/** Of the system tables and views; the same in every database but for its name, so made once. */
function systemColumnRows(catalog: CatalogSnapshot): readonly SystemRow[] {
	systemColumns ??= systemShapes.flatMap(({ schema, name, kind, columns }) =>
		columns.map(({ name: column_name, type, modifier, notNull }, i) => ({
			table_schema: schema,
			table_name: name,
			column_name,
			ordinal_position: i + 1,
			is_nullable: yesNo(!notNull),
			data_type: dataType(type.oid),
			...measures({ oid: type.oid, modifier }),
			...typeNameOf(catalog, type.oid),
			dtd_identifier: String(i + 1),
			is_self_referencing: "NO",
			is_identity: "NO",
			identity_cycle: "NO",
			is_generated: "NEVER",
			is_updatable: yesNo(kind === "r"),
		})),
	);
	return systemColumns;
}

export function* columnRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const database = { table_catalog: context.currentDatabase, udt_catalog: context.currentDatabase };
	for (const row of systemColumnRows(catalog)) yield { ...row, ...database };
	const owned = new Map<string, SequenceDescriptor>();
	for (const sequence of sequencesOf(catalog)) {
		if (sequence.ownedBy !== undefined) {
			owned.set(`${sequence.ownedBy.tableOid}.${sequence.ownedBy.attnum}`, sequence);
		}
	}
	for (const table of tablesOf(catalog)) {
		for (const column of liveColumns(table)) {
			const sequence = owned.get(`${table.oid}.${column.attnum}`);
			yield columnRow(catalog, context, table, column, sequence);
		}
	}
	for (const view of viewsOf(catalog)) {
		for (const column of view.columns) {
			yield columnRow(catalog, context, view, column, undefined);
		}
	}
}

export const schemaRows = (catalog: CatalogSnapshot, context: FunctionContext): SystemRow[] =>
	catalog.schemas.all().map((schema) => ({
		catalog_name: context.currentDatabase,
		schema_name: schema.name,
		schema_owner: catalog.roles.byOid(schemaOwner(schema))?.name ?? null,
	}));

export function* sequenceRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	for (const sequence of sequencesOf(catalog)) {
		// Those of identity columns are no sequences to the standard.
		const table = catalog.relation(sequence.ownedBy?.tableOid ?? 0);
		const column =
			table?.kind === "table" ? table.columns[(sequence.ownedBy?.attnum ?? 0) - 1] : undefined;
		if (column?.identity !== undefined) {
			continue;
		}
		yield {
			sequence_catalog: context.currentDatabase,
			sequence_schema: sequence.schema,
			sequence_name: sequence.name,
			data_type: formatType({ oid: sequence.typeOid, modifier: -1 }),
			...measures({ oid: sequence.typeOid, modifier: -1 }),
			start_value: sequence.start,
			minimum_value: sequence.min,
			maximum_value: sequence.max,
			increment: sequence.increment,
			cycle_option: yesNo(sequence.cycle),
		};
	}
}
