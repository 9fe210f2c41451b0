/** ALTER ROLE ... SET and ALTER DATABASE ... SET: what sessions begin with. Those that are open keep what they have. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rightsOfDatabase } from "../auth/privileges.ts";
import { firstDatabaseOid, undefinedDatabase } from "../catalog/database.ts";
import type { InitialSettings, SettingValues } from "../catalog/role.ts";
import type { RoleReference, RoleStatement } from "../parser/ast.ts";
import { settingDefinition } from "../session/setting-definitions.ts";
import { judgedSetting, listText } from "../session/settings.ts";
import { requireDatabaseOwner } from "./databases.ts";
import { acting, denied, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type AlterSettings = Extract<RoleStatement, { kind: "alter-settings" }>;

/** They belong to a session or a transaction that there is. */
const ofSession =
	/^(role|session_authorization|transaction_(isolation|read_only|deferrable|mode)|is_superuser)$/i;

/** The command tag. */
export async function alterSettings(
	editor: SchemaEditor,
	statement: AlterSettings,
): Promise<string> {
	const { role, database } = statement;
	if (role !== undefined) await alterOfRole(editor, statement, role);
	else {
		const oid = databaseThere(editor, database);
		if (database !== undefined) requireDatabaseOwner(editor, oid);
		else if (!acting(editor).superuser) {
			throw denied("must be superuser to alter settings globally");
		}
		const { settings, ...rest } = rightsOfDatabase(editor.catalog, oid);
		await editor.putRights({ ...rest, ...changed(editor, statement, settings) });
	}
	return `ALTER ${statement.tag}`;
}

async function alterOfRole(
	editor: SchemaEditor,
	statement: AlterSettings,
	reference: RoleReference,
): Promise<void> {
	const role = findRole(editor, reference);
	const who = acting(editor);
	if (role.superuser && !who.superuser) throw denied("must be superuser to alter superusers");
	if (!who.createRole && role.oid !== who.oid) throw denied("permission denied");
	const database = databaseThere(editor, statement.database);
	const { settings, ...rest } = role;
	if (database !== firstDatabaseOid) {
		const values = changedValues(editor, statement, settings?.elsewhere?.[database] ?? {});
		const elsewhere = withoutEmpty({ ...settings?.elsewhere, [database]: values });
		await editor.putRole({ ...rest, ...settingsOf({ ...settings, elsewhere }) });
		return;
	}
	await editor.putRole({ ...rest, ...changed(editor, statement, settings) });
}

/** The first one has what is said of all of them. Throws 3D000. */
function databaseThere({ catalog }: SchemaEditor, database: string | undefined): number {
	if (database === undefined) return firstDatabaseOid;
	const oid = catalog.databaseNamed(database);
	if (oid === undefined) throw undefinedDatabase(database);
	return oid;
}

/** Throws 42704, 22023, 55P02, 0A000. */
function changed(
	editor: SchemaEditor,
	statement: AlterSettings,
	before: InitialSettings = {},
): { readonly settings?: InitialSettings } {
	const which = statement.database === undefined ? "everywhere" : "inDatabase";
	const values = changedValues(editor, statement, before[which] ?? {});
	return settingsOf({ ...before, [which]: values });
}

/** Nothing is kept of what is empty. */
function settingsOf(after: InitialSettings): { readonly settings?: InitialSettings } {
	const settings = withoutEmpty(after);
	return Object.keys(settings).length === 0 ? {} : { settings };
}

const withoutEmpty = <T extends object>(parts: T): T =>
	Object.fromEntries(
		Object.entries(parts).filter(
			([, one]) => one !== undefined && Object.keys(one as object).length > 0,
		),
	) as T;

function changedValues(
	editor: SchemaEditor,
	{ name, value, fromCurrent }: AlterSettings,
	before: SettingValues,
): SettingValues {
	if (name === undefined) return {};
	if (ofSession.test(name)) {
		throw new DatabaseError("0A000", `sessions cannot begin with a value of "${name}"`, {
			hint: "Set it in the session.",
		});
	}
	const text = fromCurrent ? editor.state.context.setting(name) : value && listText(name, value);
	if (fromCurrent && text === undefined) {
		throw new DatabaseError("42704", `unrecognized configuration parameter "${name}"`);
	}
	judgedSetting(name, text);
	const shown = settingDefinition(name)?.name ?? name;
	if (text !== undefined) return { ...before, [shown]: text };
	const { [shown]: _before, ...rest } = before;
	return rest;
}
