/**
 * The functions about the catalog: what `FunctionContext.catalogCall` answers. Their signatures, and that NULL gives NULL, are in
 * functions/catalog-functions.ts. What PostgreSQL answers with NULL for an object that does not exist, these do too.
 */

import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import { isColumnUpdatable, updateEvents } from "../plan/view-updates.ts";
import { arrayOf } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import { namedOid } from "../types/made-oids.ts";
import { type FunctionContext, typeByOid } from "../types/registry.ts";
import { builtinDescription } from "./builtin-descriptions.ts";
import {
	type CheckDescriptor,
	hasNullsFirst,
	type IndexDescriptor,
	type TableDescriptor,
} from "./descriptor.ts";
import { labelOf, sortKeyOf, sortKeysOf } from "./enum-labels.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import { sharedDescriptionRows } from "./system-cluster.ts";
import {
	checkDefinition,
	expressionText,
	foreignKeyDefinition,
	indexColumnDefinition,
	indexDefinition,
	keyDefinition,
} from "./system-definitions.ts";
import { describeObject, functionDefinition } from "./system-descriptions.ts";
import * as lookup from "./system-lookup.ts";
import {
	isVisible,
	pgAmOid,
	pgAuthidOid,
	pgClassOid,
	pgCollationOid,
	pgConstraintOid,
	pgDatabaseOid,
	pgExtensionOid,
	pgLanguageOid,
	pgNamespaceOid,
	pgOperatorOid,
	pgProcOid,
	pgTypeOid,
	qualified,
	relationByOid,
	shortName,
	utf8Encoding,
	withVisibleNames,
} from "./system-names.ts";
import { isOperatorClass, isOperatorFamily, operatorByOid } from "./system-operators.ts";
import { privilegeFunctions } from "./system-privileges.ts";
import {
	commentRows,
	constraintsOf,
	domainChecksOf,
	sequencesOf,
	tablesOf,
} from "./system-relations.ts";
import { collationRows, procedures } from "./system-types.ts";
import { isTemporary, temporaryAlias } from "./temporary.ts";
import { isTypeVisible, typeDescriptor, typeName, withTypeNames } from "./type-names.ts";
import { viewDefinition } from "./view-definition.ts";

interface Call {
	readonly catalog: CatalogSnapshot;
	readonly context: FunctionContext;
	readonly args: readonly Datum[];
}
type Body = (call: Call) => Datum;

const oidAt = ({ args }: Call, i = 0): number => args[i] as number;
const textAt = ({ args }: Call, i = 0): string => args[i] as string;
const nothing: Body = () => null;

function indexByOid(
	catalog: CatalogSnapshot,
	oid: number,
): { readonly table: TableDescriptor; readonly index: IndexDescriptor } | undefined {
	for (const table of tablesOf(catalog)) {
		const index = namedIndexes(table).find((candidate) => candidate.oid === oid);
		if (index !== undefined) {
			return { table, index };
		}
	}
	return undefined;
}

const commentedIn: Readonly<Record<string, number>> = dictionary({
	pg_am: pgAmOid,
	pg_collation: pgCollationOid,
	pg_operator: pgOperatorOid,
	pg_proc: pgProcOid,
	pg_class: pgClassOid,
	pg_constraint: pgConstraintOid,
	pg_language: pgLanguageOid,
	pg_namespace: pgNamespaceOid,
	pg_type: pgTypeOid,
	pg_extension: pgExtensionOid,
});

const sharedCommentedIn: Readonly<Record<string, number>> = dictionary({
	pg_authid: pgAuthidOid,
	pg_database: pgDatabaseOid,
});

function description(call: Call, column: number, table: string | undefined): Datum {
	const catalog = table === undefined ? undefined : (commentedIn[table] ?? 0);
	const builtin = column === 0 ? builtinDescription(catalog, oidAt(call)) : undefined;
	if (builtin !== undefined) return builtin;
	for (const row of commentRows(call.catalog)) {
		const isTable = table === undefined || row["classoid"] === commentedIn[table];
		if (row["objoid"] === oidAt(call) && row["objsubid"] === column && isTable) {
			return row["description"] as Datum;
		}
	}
	return null;
}

/** (index) and (index, column, pretty): column 0 is the whole. */
const indexText: Body = (call) => {
	const found = indexByOid(call.catalog, oidAt(call));
	if (found === undefined) {
		return null;
	}
	const { table, index } = found;
	const column = (call.args[1] ?? 0) as number;
	const pretty = call.args[2] === true;
	const name = pretty ? shortName(call.catalog, call.context, table) : qualified(table);
	const text =
		column > 0
			? indexColumnDefinition(table, index, column, pretty)
			: indexDefinition(table, index, name, pretty);
	return withTypeNames(call.catalog, call.context.searchPath, text);
};

const checkText = (call: Call, check: CheckDescriptor): string =>
	withVisibleNames(call.catalog, call.context, checkDefinition(check, call.args[1] === true));

/** The only column of a domain's condition is no column. */
const withValue = (text: string): string =>
	text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<!\.)\bvalue\b/g, (found) =>
		found === "value" ? "VALUE" : found,
	);

const constraintText: Body = (call) => {
	for (const { check } of domainChecksOf(call.catalog)) {
		if (check.oid === oidAt(call)) return withValue(checkText(call, check));
	}
	for (const { oid, table, of } of constraintsOf(call.catalog)) {
		if (oid !== oidAt(call)) continue;
		if (of.kind === "check") return checkText(call, of.check);
		if (of.kind === "key") return keyDefinition(table, of.index);
		const parent = call.catalog.relation(of.key.referencedTable) as TableDescriptor;
		const name = shortName(call.catalog, call.context, parent);
		return foreignKeyDefinition(table, of.key, parent, name);
	}
	return null;
};

const serialSequence: Body = ({ catalog, context, args }) => {
	const [text, column] = args as readonly string[];
	const oid = lookup.requireRelation(catalog, context, text ?? "");
	const relation = catalog.relation(oid);
	const columns: readonly { name: string; attnum: number; dropped?: boolean }[] =
		relation?.kind === "table" || relation?.kind === "view" ? relation.columns : [];
	const attnum = columns.find(({ name, dropped }) => name === column && !dropped)?.attnum;
	if (attnum === undefined) {
		const name = relationByOid(catalog, oid)?.name;
		throw new DatabaseError("42703", `column "${column}" of relation "${name}" does not exist`);
	}
	const owned = sequencesOf(catalog).find(
		({ ownedBy }) => ownedBy?.tableOid === oid && ownedBy.attnum === attnum,
	);
	if (owned === undefined) return null;
	return qualified(isTemporary(owned) ? { ...owned, schema: temporaryAlias } : owned);
};

const encodingNames: Readonly<Record<number, string>> = {
	0: "SQL_ASCII",
	[utf8Encoding]: "UTF8",
	8: "LATIN1",
};

/** Indexes are ordered, unique or not, and read in both directions. */
const indexProperties: Readonly<Record<string, boolean>> = dictionary({
	clusterable: false,
	index_scan: true,
	bitmap_scan: false,
	backward_scan: true,
	can_order: true,
	can_unique: true,
	can_multi_col: true,
	can_exclude: false,
	can_include: false,
});

const columnProperty: Body = (call) => {
	const found = indexByOid(call.catalog, oidAt(call));
	const column = found?.index.columns[oidAt(call, 1) - 1];
	if (column === undefined) {
		return null;
	}
	const properties: Readonly<Record<string, boolean>> = {
		asc: !column.descending,
		desc: column.descending,
		nulls_first: hasNullsFirst(column),
		nulls_last: !hasNullsFirst(column),
		orderable: true,
		distance_orderable: false,
		returnable: true,
		search_array: true,
		search_nulls: true,
	};
	return properties[textAt(call, 2).toLowerCase()] ?? null;
};

/** The connected user owns everything; what is asked about must exist. `fromEnd`: where the object is in the arguments. */
const visibleIf =
	(exists: (oid: number) => boolean): Body =>
	(call) =>
		exists(oidAt(call)) ? true : null;

function reg(type: string, find: (call: Call) => number | undefined): Record<string, Body> {
	return {
		[`to_${type}`]: (call) => {
			const text = textAt(call);
			// As in PostgreSQL, a number is an OID.
			return /^\d+$/.test(text) ? Number(text) : (find(call) ?? null);
		},
	};
}

function required(code: string, what: string, find: (call: Call) => number | undefined): Body {
	return (call) => {
		const oid = find(call);
		if (oid === undefined) {
			throw new DatabaseError(code, `${what} "${textAt(call)}" does not exist`);
		}
		return oid;
	};
}

const findRelation = ({ catalog, context, args }: Call): number | undefined =>
	lookup.lookupRelation(catalog, context, args[0] as string);
const findSchema = (call: Call): number | undefined =>
	lookup.lookupSchema(call.catalog, textAt(call));
const findRole = (call: Call): number | undefined => lookup.lookupRole(call.catalog, textAt(call));
const findProcedure = (call: Call): number | undefined => {
	const [only, another] = lookup.lookupProcedures(textAt(call));
	return another === undefined ? only?.oid : undefined;
};
const findSignature = (call: Call): number | undefined => lookup.lookupSignature(textAt(call))?.oid;

/** Nobody adds up sizes by table: SHOW RANGES has those of ranges. */
const unknownSize = nothing;

const functions: Readonly<Record<string, Body>> = {
	regclassin: ({ catalog, context, args }) =>
		lookup.requireRelation(catalog, context, args[0] as string),
	regclassout: (call) => lookup.relationText(call.catalog, call.context, oidAt(call)),
	regnamespacein: required("3F000", "schema", findSchema),
	regnamespaceout: (call) => lookup.schemaText(call.catalog, oidAt(call)),
	regrolein: required("42704", "role", findRole),
	regroleout: (call) => lookup.roleText(call.catalog, oidAt(call)),
	regprocin: (call) => lookup.requireProcedure(textAt(call)),
	regprocout: (call) => lookup.procedureText(oidAt(call)),
	regprocedurein: required("42883", "function", findSignature),
	regprocedureout: (call) => lookup.signatureText(oidAt(call)),
	regoperin: (call) => lookup.requireOperator(textAt(call)),
	regoperout: (call) => lookup.operatorText(oidAt(call)),
	regoperatorin: (call) => lookup.requireOperatorSignature(textAt(call)),
	regoperatorout: (call) => lookup.operatorSignatureText(oidAt(call)),
	regconfigin: required("42704", "text search configuration", () => undefined),
	regconfigout: (call) => String(oidAt(call)),
	...reg("regclass", findRelation),
	...reg("regnamespace", findSchema),
	...reg("regrole", findRole),
	...reg("regproc", findProcedure),
	...reg("regprocedure", findSignature),
	regtypein: ({ catalog, context, args }) =>
		lookup.lookupType(catalog, context, args[0] as string) ?? null,
	regtypeout: (call) =>
		typeName(call.catalog, call.context.searchPath, oidAt(call)) ?? String(oidAt(call)),
	format_type: (call) => typeName(call.catalog, call.context.searchPath, oidAt(call)) ?? null,
	enum_in: ({ catalog, context, args }) =>
		sortKeyOf(catalog, context, args[0] as number, args[1] as string),
	enum_out: ({ catalog, args }) => labelOf(catalog, args[0] as number, args[1] as string),
	enum_values: ({ catalog, args }) => arrayOf(sortKeysOf(catalog, args[0] as number)),

	pg_table_is_visible: (call) => {
		const relation = relationByOid(call.catalog, oidAt(call));
		return relation === undefined ? null : isVisible(call.catalog, call.context, relation);
	},
	pg_type_is_visible: ({ catalog, context, args }) => {
		const oid = args[0] as number;
		const type = typeDescriptor(catalog, namedOid(oid));
		if (type !== undefined) return isTypeVisible(catalog, context.searchPath, type);
		return oid < 0x1_0000 && typeByOid(oid) !== undefined ? true : null;
	},
	pg_function_is_visible: visibleIf((oid) => procedures[oid - 1] !== undefined),
	pg_collation_is_visible: visibleIf((oid) => collationRows().some((row) => row["oid"] === oid)),
	pg_opclass_is_visible: visibleIf(isOperatorClass),
	pg_operator_is_visible: visibleIf((oid) => operatorByOid(oid) !== undefined),
	pg_opfamily_is_visible: visibleIf(isOperatorFamily),
	pg_conversion_is_visible: nothing,
	pg_statistics_obj_is_visible: nothing,
	pg_ts_config_is_visible: nothing,
	pg_ts_dict_is_visible: nothing,
	pg_ts_parser_is_visible: nothing,
	pg_ts_template_is_visible: nothing,

	pg_my_temp_schema: ({ catalog }) => catalog.schemas.temporary?.oid ?? 0,
	pg_get_indexdef: indexText,
	pg_get_constraintdef: constraintText,
	// Expressions are stored as the text that this would make of them.
	pg_get_expr: (call) =>
		withVisibleNames(
			call.catalog,
			call.context,
			expressionText(textAt(call), call.args[2] === true),
		),
	pg_get_serial_sequence: serialSequence,
	pg_get_userbyid: (call) =>
		call.catalog.roles.byOid(oidAt(call))?.name ?? `unknown (OID=${oidAt(call)})`,
	pg_get_function_result: (call) => {
		const procedure = procedures[oidAt(call) - 1];
		if (procedure === undefined) {
			return null;
		}
		const result = lookup.typeText(procedure.result);
		return procedure.returnsSet ? `SETOF ${result}` : result;
	},
	pg_get_function_arguments: (call) => {
		const procedure = procedures[oidAt(call) - 1];
		return procedure === undefined ? null : lookup.argumentsText(procedure);
	},
	pg_get_function_identity_arguments: (call) => {
		const procedure = procedures[oidAt(call) - 1];
		return procedure === undefined ? null : lookup.argumentsText(procedure);
	},
	pg_get_viewdef: (call) => {
		const target = call.args[0]!;
		const oid =
			typeof target === "string"
				? lookup.requireRelation(call.catalog, call.context, target)
				: (target as number);
		const view = call.catalog.relation(oid);
		return view?.kind === "view"
			? viewDefinition(
					call.catalog,
					call.context,
					view,
					call.args[1] !== undefined && call.args[1] !== false,
				)
			: null;
	},
	pg_relation_is_updatable: (call) => updateEvents(call.catalog, oidAt(call)),
	pg_column_is_updatable: (call) =>
		isColumnUpdatable(call.catalog, oidAt(call), call.args[1] as number),
	// There are no rules, triggers, statistics objects and partitions, and functions have no body of SQL.
	pg_get_ruledef: nothing,
	pg_get_triggerdef: nothing,
	pg_get_functiondef: (call) => {
		const procedure = procedures[oidAt(call) - 1];
		return procedure === undefined ? null : functionDefinition(procedure);
	},
	pg_describe_object: ({ catalog, context, args }) =>
		describeObject(catalog, context, args as readonly number[]) ?? null,
	pg_partition_root: nothing,
	pg_get_function_sqlbody: nothing,
	pg_get_partkeydef: nothing,
	pg_get_partition_constraintdef: nothing,
	pg_get_statisticsobjdef: nothing,
	pg_get_statisticsobjdef_columns: nothing,
	obj_description: (call) =>
		description(call, 0, call.args.length > 1 ? textAt(call, 1) : undefined),
	col_description: (call) => description(call, call.args[1] as number, "pg_class"),
	shobj_description: (call) => {
		const classOid = sharedCommentedIn[textAt(call, 1)];
		for (const { objoid, classoid, description } of sharedDescriptionRows(call.catalog)) {
			if (objoid === oidAt(call) && classoid === classOid) return description as Datum;
		}
		return null;
	},

	pg_encoding_to_char: (call) => encodingNames[oidAt(call)] ?? "",
	pg_char_to_encoding: (call) => {
		const wanted = textAt(call)
			.replace(/[^a-z0-9]/gi, "")
			.toUpperCase();
		const found = Object.entries(encodingNames).find(
			([, name]) => name.replace("_", "") === wanted,
		);
		return found === undefined ? -1 : Number(found[0]);
	},
	pg_tablespace_location: () => "",
	pg_relation_is_publishable: () => false,
	pg_index_column_has_property: columnProperty,
	pg_indexam_has_property: (call) => indexProperties[textAt(call, 1).toLowerCase()] ?? null,
	pg_index_has_property: (call) => indexProperties[textAt(call, 1).toLowerCase()] ?? null,
	pg_relation_filenode: (call) =>
		relationByOid(call.catalog, oidAt(call)) === undefined ? null : oidAt(call),
	pg_relation_size: unknownSize,
	pg_table_size: unknownSize,
	pg_indexes_size: unknownSize,
	pg_total_relation_size: unknownSize,
	pg_database_size: unknownSize,
	pg_tablespace_size: unknownSize,

	...privilegeFunctions,
};

/** What `catalogCall` of a session is made of. */
export function callCatalog(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	name: string,
	args: readonly Datum[],
): Datum {
	const body = Object.hasOwn(functions, name) ? functions[name] : undefined;
	assert(body !== undefined, () => `catalog function ${name} is declared but not answered`);
	return body({ catalog, context, args });
}

/** For the test that all that is declared is answered. */
export const answered = (name: string): boolean => Object.hasOwn(functions, name);
