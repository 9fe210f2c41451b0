/**
 * pg_catalog and information_schema: virtual tables, computed from a catalog snapshot whenever they are read. Clients know them by
 * heart, so their names, OIDs and columns are PostgreSQL 15's (system-shapes.ts, recorded from it).
 *
 * 1. Every table and view here has all of PostgreSQL's columns, in its order. Those named quorate_ are its own.
 * 2. Rows depend on the snapshot and the session only: two reads of one snapshot by one session agree. Not so the views of
 *    what goes on now, cluster-wide, which all nodes are asked for.
 * 3. OIDs are those of the descriptors, and PostgreSQL's own for types, schemas, access methods and operator classes. Functions
 *    and default expressions, which have none, get OIDs that are unique within their table.
 * 4. A table without a row source is one whose objects Quorate does not have (policies, triggers, publications ...): it is empty.
 *
 * Left out: system columns (ctid, xmin, tableoid), composite types of tables, statistics.
 */

import type { ClusterActivity } from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import * as extensions from "./extensions.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import * as standard from "./sql-standard.ts";
import * as activityOf from "./system-activity.ts";
import * as cluster from "./system-cluster.ts";
import { dependencyRows } from "./system-dependencies.ts";
import * as constraints from "./system-information-constraints.ts";
import { tableGrantRows, tablePrivilegeRows } from "./system-information-privileges.ts";
import * as information from "./system-information-schema.ts";
import * as operators from "./system-operators.ts";
import * as overview from "./system-overview.ts";
import * as relations from "./system-relations.ts";
import { settingRows } from "./system-settings.ts";
import { type SystemShape, systemShapes } from "./system-shape.ts";
import { statementRows } from "./system-statements.ts";
import type { RowSource, SystemRow } from "./system-table.ts";
import * as types from "./system-types.ts";
import * as views from "./system-views.ts";
import { zoneAbbreviationRows, zoneNameRows } from "./system-zones.ts";
import type { VirtualTable } from "./virtual-table.ts";

const sources: Readonly<Record<string, RowSource>> = {
	"pg_catalog.pg_am": types.accessMethodRows,
	"pg_catalog.pg_authid": cluster.authorizationRows,
	"pg_catalog.pg_auth_members": cluster.membershipRows,
	"pg_catalog.pg_group": cluster.groupRows,
	"pg_catalog.pg_shadow": cluster.shadowRows,
	"pg_catalog.pg_attrdef": relations.defaultRows,
	"pg_catalog.pg_attribute": relations.attributeRows,
	"pg_catalog.pg_class": relations.classRows,
	"pg_catalog.pg_collation": types.collationRows,
	"pg_catalog.pg_constraint": relations.constraintRows,
	"pg_catalog.pg_database": cluster.databaseRows,
	"pg_catalog.pg_db_role_setting": cluster.initialSettingRows,
	"pg_catalog.pg_default_acl": cluster.defaultRightsRows,
	"pg_catalog.pg_depend": dependencyRows,
	"pg_catalog.pg_description": relations.descriptionRows,
	"pg_catalog.pg_shdescription": cluster.sharedDescriptionRows,
	"pg_catalog.pg_enum": types.enumRows,
	"pg_catalog.pg_available_extension_versions": extensions.extensionVersionRows,
	"pg_catalog.pg_available_extensions": extensions.availableExtensionRows,
	"pg_catalog.pg_cursors": (_, context) => context.sessionRows("pg_cursors"),
	"pg_catalog.pg_prepared_statements": (_, context) =>
		context.sessionRows("pg_prepared_statements"),
	"pg_catalog.pg_timezone_abbrevs": zoneAbbreviationRows,
	"pg_catalog.pg_timezone_names": zoneNameRows,
	"pg_catalog.pg_extension": extensions.extensionRows,
	"pg_catalog.pg_init_privs": cluster.initialPrivilegeRows,
	"pg_catalog.pg_index": relations.indexRows,
	"pg_catalog.pg_indexes": views.indexViewRows,
	"pg_catalog.pg_language": types.languageRows,
	"pg_catalog.pg_namespace": cluster.namespaceRows,
	"pg_catalog.pg_opclass": operators.operatorClassRows,
	"pg_catalog.pg_operator": operators.operatorRows,
	"pg_catalog.pg_opfamily": operators.operatorFamilyRows,
	"pg_catalog.pg_amop": operators.familyOperatorRows,
	"pg_catalog.pg_cast": operators.castRows,
	"pg_catalog.pg_proc": types.procedureRows,
	"pg_catalog.pg_roles": cluster.roleRows,
	"pg_catalog.pg_rewrite": relations.ruleRows,
	"pg_catalog.pg_sequence": relations.sequenceRows,
	"pg_catalog.pg_sequences": views.sequenceViewRows,
	"pg_catalog.pg_settings": settingRows,
	"pg_catalog.pg_statio_all_tables": views.tableStatisticsRows,
	"pg_catalog.pg_stat_user_indexes": views.indexStatisticsRows,
	"pg_catalog.pg_stat_user_tables": views.tableStatisticsRows,
	"pg_catalog.pg_tables": views.tableViewRows,
	"pg_catalog.pg_tablespace": cluster.tablespaceRows,
	"pg_catalog.pg_locks": activityOf.pgLockRows,
	"pg_catalog.pg_stat_activity": activityOf.activityRows,
	"pg_catalog.quorate_events": overview.eventRows,
	"pg_catalog.quorate_locks": activityOf.lockRows,
	"pg_catalog.quorate_nodes": overview.nodeRows,
	"pg_catalog.quorate_ranges": overview.rangeRows,
	"pg_catalog.quorate_statements": statementRows,
	"pg_catalog.quorate_transactions": activityOf.transactionRows,
	"pg_catalog.pg_type": types.typeRows,
	"pg_catalog.pg_user": cluster.userRows,
	"pg_catalog.pg_views": views.viewRows,
	"information_schema.check_constraints": constraints.checkRows,
	"information_schema.columns": information.columnRows,
	"information_schema.constraint_column_usage": constraints.columnUsageRows,
	"information_schema.key_column_usage": constraints.keyColumnRows,
	"information_schema.referential_constraints": constraints.referentialRows,
	"information_schema.role_table_grants": tableGrantRows,
	"information_schema.schemata": information.schemaRows,
	"information_schema.sequences": information.sequenceRows,
	"information_schema.sql_features": standard.featureRows,
	"information_schema.sql_implementation_info": standard.implementationRows,
	"information_schema.sql_parts": standard.partRows,
	"information_schema.sql_sizing": standard.sizingRows,
	"information_schema.table_constraints": constraints.tableConstraintRows,
	"information_schema.table_privileges": tablePrivilegeRows,
	"information_schema.tables": information.tableRows,
	"information_schema.views": information.viewRows,
};

const clusterWide: ReadonlySet<string> = new Set([
	"pg_locks",
	"pg_stat_activity",
	"quorate_locks",
	"quorate_transactions",
]);

const overviews: ReadonlySet<string> = new Set([
	"quorate_events",
	"quorate_nodes",
	"quorate_ranges",
]);

/** What a column of a catalog table holds where its row does not say: most are flags and counts that are never NULL. */
function unsaid(typeName: string): Datum {
	switch (typeName) {
		case "bool":
			return false;
		case "int2":
		case "int4":
		case "oid":
		case "xid":
		case "float4":
		case "regproc":
			return 0;
		case "int8":
			return 0n;
		case "char":
			return "";
		default:
			return null;
	}
}

class SystemTable implements VirtualTable {
	readonly schema: string;
	readonly name: string;
	readonly oid: number;
	readonly columns: VirtualTable["columns"];
	readonly #names: readonly string[];
	readonly #unsaid: readonly Datum[];
	readonly #source: RowSource | undefined;

	constructor(shape: SystemShape, source: RowSource | undefined) {
		this.schema = shape.schema;
		this.name = shape.name;
		this.oid = shape.oid;
		this.columns = shape.columns.map(({ name, type, modifier }) => ({
			name,
			typeOid: type.oid,
			modifier,
		}));
		this.#names = shape.columns.map(({ name }) => name);
		this.#unsaid = shape.columns.map(({ type }) => (shape.kind === "r" ? unsaid(type.name) : null));
		this.#source = source;
	}

	get isOverview(): boolean {
		return overviews.has(this.name);
	}

	get isOfStatements(): boolean {
		return this.name === "quorate_statements";
	}

	get isOfSequences(): boolean {
		return this.name === "pg_sequences";
	}

	get isClusterWide(): boolean {
		return clusterWide.has(this.name);
	}

	*rows(
		catalog: CatalogSnapshot,
		context: FunctionContext,
		activity?: ClusterActivity,
		used?: readonly boolean[],
	): Iterable<readonly Datum[]> {
		for (const row of this.#source?.(catalog, context, activity) ?? []) {
			yield this.#values(row, used);
		}
	}

	#values(row: SystemRow, used: readonly boolean[] | undefined): Datum[] {
		return this.#names.map((name, i) => {
			if (used !== undefined && !used[i]) return null;
			const value = row[name];
			return value === undefined ? (this.#unsaid[i] as Datum) : value;
		});
	}
}

const tables: readonly VirtualTable[] = systemShapes.map(
	(shape) => new SystemTable(shape, sources[`${shape.schema}.${shape.name}`]),
);
const byName = new Map(tables.map((table) => [`${table.schema}.${table.name}`, table]));

export const systemTables = (): readonly VirtualTable[] => tables;

export const systemTable = (schema: string, name: string): VirtualTable | undefined =>
	byName.get(`${schema}.${name}`);
