/**
 * Whether a role may do what a statement does. It is asked each time a plan runs, not when it is made: plans are shared by all
 * roles. The answer follows from the catalog alone, so it is kept with the plan, which holds for one schema version.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import { readAllStatsOid } from "../catalog/role.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { StatementAccess } from "../plan/access.ts";
import { mayUseSchema, mayUseTable } from "./privileges.ts";

export interface Authorized {
	readonly access: StatementAccess;
	/** Roles that were found to be allowed. */
	readonly allowed: Set<number>;
}

/** Throws 42501. */
export function authorize(catalog: CatalogSnapshot, oid: number, plan: Authorized): void {
	if (plan.allowed.has(oid)) return;
	authorizeAccess(catalog, oid, plan.access);
	plan.allowed.add(oid);
}

/** Throws 42501. */
export function authorizeAccess(
	catalog: CatalogSnapshot,
	oid: number,
	access: StatementAccess,
): void {
	for (const view of access.views) authorizeAccess(catalog, view.owner, view.access);
	if (catalog.roles.isSuperuser(oid)) return;
	for (const table of access.virtual) authorizeVirtual(catalog, oid, table);
	authorizeSchemas(catalog, oid, access);
	for (const one of access.tables) {
		const relation = catalog.relation(one.tableOid);
		if (relation !== undefined && mayUseTable(catalog, oid, relation, one.action, one.columns)) {
			continue;
		}
		throw new DatabaseError(
			"42501",
			`permission denied for ${relation?.kind ?? "table"} ${relation?.name ?? one.tableOid}`,
		);
	}
}

/** Those that its names are said to be in. Throws 42501. */
export function authorizeSchemas(
	catalog: CatalogSnapshot,
	oid: number,
	{ schemas }: StatementAccess,
): void {
	for (const { name, at } of schemas) {
		if (mayUseSchema(catalog, oid, name)) continue;
		throw new DatabaseError("42501", `permission denied for schema ${name}`, { position: at + 1 });
	}
}

/** `what`: as in "permission denied to alter the system". Throws 42501. */
export function requireSuperuser(catalog: CatalogSnapshot, oid: number, what: string): void {
	if (catalog.roles.isSuperuser(oid)) return;
	throw new DatabaseError("42501", `permission denied to ${what}`, {
		hint: "Only superusers may.",
	});
}

/** What an error tells of a row is for those who may read it. */
export function withoutUnseenRow(
	catalog: CatalogSnapshot,
	oid: number,
	error: DatabaseError,
): DatabaseError {
	if (catalog.roles.isSuperuser(oid)) return error;
	const { detail: _row, ...fields } = error.fields;
	const found = catalog.object(fields.schema ?? "", fields.table ?? "");
	if (found?.kind === "table" && mayReadRows(catalog, oid, found.table)) return error;
	return new DatabaseError(error.code, error.message, fields);
}

/** All of them, in all columns. */
export function mayReadRows(
	catalog: CatalogSnapshot,
	oid: number,
	table: TableDescriptor,
): boolean {
	const columns = liveColumns(table).map(({ attnum }) => attnum);
	return (
		mayUseTable(catalog, oid, table, "SELECT", columns) && mayUseSchema(catalog, oid, table.schema)
	);
}

/** Password verifiers; keys of rows, which are data. */
const superusersOnly: ReadonlySet<string> = new Set(["pg_authid", "pg_shadow"]);
const monitorsOnly: ReadonlySet<string> = new Set([
	"quorate_locks",
	"quorate_ranges",
	"quorate_transactions",
]);

function authorizeVirtual(catalog: CatalogSnapshot, oid: number, { name }: VirtualTable): void {
	const isAllowed = monitorsOnly.has(name)
		? catalog.roles.hasRightsOf(oid, readAllStatsOid)
		: !superusersOnly.has(name);
	if (isAllowed) return;
	const kind = name === "pg_authid" ? "table" : "view";
	throw new DatabaseError("42501", `permission denied for ${kind} ${name}`);
}
