/** ALTER TABLE ... CONFIGURE, ALTER DATABASE ... CONFIGURE: what the scheduler is to follow. It moves what has to move afterwards. */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatLocality, localityForm, parseLocality } from "@quorate/keys/locality";
import { formatConstraints, parseConstraints, replicaCounts } from "@quorate/keys/placement-rule";
import { rightsOfDatabase } from "../auth/privileges.ts";
import {
	type Configuration,
	fieldOf,
	type SettingName,
	settingNames,
} from "../catalog/configuration.ts";
import type { ConfiguredSetting, QualifiedName, Statement } from "../parser/ast.ts";
import { checkDatabase } from "../session/this-database.ts";
import { findObject } from "./drop.ts";
import { requirePlaced } from "./placed.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type Configure = Extract<Statement, { kind: "configure" }>;

export async function configure(editor: SchemaEditor, statement: Configure): Promise<string> {
	const { object, name, settings } = statement;
	if (object === "database") {
		await configureDatabase(editor, name, settings);
		return "ALTER DATABASE";
	}
	const found = findObject(editor, name);
	const text = name.parts.join(".");
	if (found === undefined) throw new DatabaseError("42P01", `relation "${text}" does not exist`);
	if (found.kind !== "table") throw new DatabaseError("42809", `"${text}" is not a table`);
	const { table } = found;
	requirePlaced(table);
	const { configuration, ...rest } = table;
	const changed = configured(configuration, settings);
	await editor.put(changed === undefined ? rest : { ...rest, configuration: changed });
	return "ALTER TABLE";
}

async function configureDatabase(
	editor: SchemaEditor,
	name: QualifiedName,
	settings: Configure["settings"],
): Promise<void> {
	checkDatabase(editor.state, name.parts.join("."));
	await editor.state.requireSuperuser("configure the database");
	const { configuration, ...rest } = rightsOfDatabase(editor.catalog);
	const changed = configured(configuration, settings);
	await editor.putRights(changed === undefined ? rest : { ...rest, configuration: changed });
}

/** Undefined: nothing is said any more. */
function configured(
	before: Configuration | undefined,
	settings: Configure["settings"],
): Configuration | undefined {
	if (settings === undefined) return undefined;
	const given = new Map<string, string | number>(Object.entries(before ?? {}));
	const seen = new Set<string>();
	for (const setting of settings) {
		const name = settingNames.find((one) => one === setting.name);
		if (name === undefined) throw unknownSetting(setting);
		if (seen.has(name)) {
			throw new DatabaseError("42601", "conflicting or redundant options", place(setting));
		}
		seen.add(name);
		const value =
			setting.value === undefined ? undefined : settingValue(name, setting, setting.value);
		if (value === undefined) given.delete(fieldOf(name));
		else given.set(fieldOf(name), value);
	}
	return given.size === 0 ? undefined : (Object.fromEntries(given) as Configuration);
}

const place = ({ at }: ConfiguredSetting) => ({ position: at + 1 });

const unknownSetting = (setting: ConfiguredSetting): DatabaseError =>
	new DatabaseError("42704", `unrecognized configuration setting "${setting.name}"`, {
		hint: `There are ${settingNames.join(", ")}.`,
		...place(setting),
	});

function settingValue(
	name: SettingName,
	setting: ConfiguredSetting,
	text: string,
): string | number {
	const value = normalized(name, text);
	if (value !== undefined) return value;
	const hints: Readonly<Record<SettingName, string>> = {
		replicas: `One of ${replicaCounts.join(", ")}.`,
		constraints: "Where replicas must be and must not be: '+region=eu,-zone=b'; '' for anywhere.",
		lease_preference: `A locality: '${localityForm}'; '' for anywhere.`,
	};
	throw new DatabaseError("22023", `invalid value for "${name}": "${text}"`, {
		hint: hints[name],
		...place(setting),
	});
}

function normalized(name: SettingName, text: string): string | number | undefined {
	if (name === "replicas") {
		const count = /^\d+$/.test(text.trim()) ? Number(text) : 0;
		return replicaCounts.includes(count) ? count : undefined;
	}
	if (name === "constraints") {
		const constraints = parseConstraints(text);
		return constraints && formatConstraints(constraints);
	}
	const locality = parseLocality(text);
	return locality && formatLocality(locality);
}
