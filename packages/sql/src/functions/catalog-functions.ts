/**
 * Functions about the catalog. Only their signatures are here: `context.catalogCall` answers them by name, with the arguments
 * as written. Those that PostgreSQL has with and without a trailing `pretty` share a name.
 */
import type { ScalarFunction } from "../types/registry.ts";
import { contextual } from "./definition.ts";

const visible = [
	"table",
	"type",
	"function",
	"operator",
	"opclass",
	"opfamily",
	"collation",
	"conversion",
	"statistics_obj",
	"ts_config",
	"ts_dict",
	"ts_parser",
	"ts_template",
].map((what) => `pg_${what}_is_visible(oid) -> bool`);

const definitions: readonly string[] = [
	"pg_get_indexdef(oid) -> text",
	"pg_get_indexdef(oid, int4, bool) -> text",
	"pg_get_constraintdef(oid) -> text",
	"pg_get_constraintdef(oid, bool) -> text",
	"pg_get_expr(pg_node_tree, oid) -> text",
	"pg_get_expr(pg_node_tree, oid, bool) -> text",
	"pg_get_viewdef(oid) -> text",
	"pg_get_viewdef(oid, bool) -> text",
	"pg_get_viewdef(text) -> text",
	"pg_get_viewdef(text, bool) -> text",
	"pg_get_ruledef(oid) -> text",
	"pg_get_ruledef(oid, bool) -> text",
	"pg_get_triggerdef(oid) -> text",
	"pg_get_triggerdef(oid, bool) -> text",
	"pg_get_functiondef(oid) -> text",
	"pg_get_function_result(oid) -> text",
	"pg_get_function_arguments(oid) -> text",
	"pg_get_function_identity_arguments(oid) -> text",
	"pg_get_function_sqlbody(oid) -> text",
	"pg_get_partkeydef(oid) -> text",
	"pg_get_partition_constraintdef(oid) -> text",
	"pg_get_statisticsobjdef(oid) -> text",
	"pg_get_statisticsobjdef_columns(oid) -> text",
	"pg_get_userbyid(oid) -> name",
	"pg_get_serial_sequence(text, text) -> text",
];

const descriptions: readonly string[] = [
	"obj_description(oid) -> text",
	"obj_description(oid, name) -> text",
	"col_description(oid, int4) -> text",
	"shobj_description(oid, name) -> text",
	"pg_describe_object(oid, oid, int4) -> text",
	"pg_partition_root(regclass) -> regclass",
	"pg_encoding_to_char(int4) -> name",
	"pg_char_to_encoding(name) -> int4",
	"pg_tablespace_location(oid) -> text",
	"pg_relation_is_publishable(regclass) -> bool",
	"pg_relation_is_updatable(regclass, bool) -> int4",
	"pg_column_is_updatable(regclass, int2, bool) -> bool",
	"pg_index_column_has_property(regclass, int4, text) -> bool",
	"pg_indexam_has_property(oid, text) -> bool",
	"pg_index_has_property(regclass, text) -> bool",
];

const lists: readonly string[] = ["acldefault(char, oid) -> _aclitem"];

const sizes: readonly string[] = [
	"pg_relation_size(regclass) -> int8",
	"pg_relation_size(regclass, text) -> int8",
	"pg_table_size(regclass) -> int8",
	"pg_indexes_size(regclass) -> int8",
	"pg_total_relation_size(regclass) -> int8",
	"pg_database_size(oid) -> int8",
	"pg_database_size(name) -> int8",
	"pg_tablespace_size(oid) -> int8",
	"pg_relation_filenode(regclass) -> oid",
];

const lookups = ["regclass", "regproc", "regnamespace", "regrole", "regprocedure"].map(
	(type) => `to_${type}(text) -> ${type}`,
);

/** (privilege), (user, privilege) and both with names or OIDs. */
function privileges(): string[] {
	const out: string[] = [];
	const objects = [
		"table",
		"schema",
		"database",
		"sequence",
		"function",
		"any_column",
		"tablespace",
		"type",
		"language",
	];
	for (const object of objects) {
		for (const target of ["text", "oid"]) {
			out.push(
				`has_${object}_privilege(${target}, text) -> bool`,
				`has_${object}_privilege(name, ${target}, text) -> bool`,
				`has_${object}_privilege(oid, ${target}, text) -> bool`,
			);
		}
	}
	for (const table of ["text", "oid"]) {
		for (const column of ["text", "int2"]) {
			out.push(
				`has_column_privilege(${table}, ${column}, text) -> bool`,
				`has_column_privilege(name, ${table}, ${column}, text) -> bool`,
			);
		}
	}
	for (const role of ["name", "oid"]) {
		out.push(`pg_has_role(${role}, text) -> bool`, `pg_has_role(name, ${role}, text) -> bool`);
	}
	return out;
}

export const catalogFunctions: readonly ScalarFunction[] = [
	...visible,
	...definitions,
	...descriptions,
	...sizes,
	...lookups,
	...lists,
	...privileges(),
].map((text) => {
	const name = text.slice(0, text.indexOf("("));
	// Sizes change under a statement.
	const volatility = /_size$/.test(name) ? "volatile" : "stable";
	return contextual(text, { volatility }, (args, context) => context.catalogCall(name, args));
});
