/** What pg_cursors, pg_prepared_statements and pg_settings say of a session. */
import { arrayOf } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import type { Cursors } from "./cursors.ts";
import type { KeptNames } from "./kept-names.ts";
import type { Prepared } from "./prepared.ts";
import { allSettings, type SettingDefinition } from "./setting-definitions.ts";
import type { Settings } from "./settings.ts";

type Row = Readonly<Record<string, Datum>>;

export const cursorRows = (cursors: Cursors): readonly Row[] =>
	cursors.all().map(({ name, statement, hold, binary, canScroll, since }) => ({
		name,
		statement,
		is_holdable: hold,
		is_binary: binary,
		is_scrollable: canScroll,
		creation_time: since,
	}));

const byName = (all: readonly SettingDefinition[]): readonly SettingDefinition[] =>
	[...all].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

/** Values as SHOW has them; `context`: undefined: where the server says it is fixed. */
export const settingRows = (settings: Settings): readonly Row[] =>
	byName(allSettings()).map((definition) => ({
		name: definition.name,
		setting: settings.value(definition.name),
		boot_val: definition.initial,
		reset_val: settings.default(definition.name.toLowerCase()),
		source: settings.sourceOf(definition),
		context: definition.settable ? "user" : definition.cluster ? "sighup" : null,
	}));

/** All but the unnamed one. How often which kind of plan was used is not counted. */
export const preparedRows = (statements: KeptNames<Prepared>): readonly Row[] =>
	statements.named().map(([name, { lexed, parameterTypes, fromSql, since }]) => ({
		name,
		statement: lexed?.query ?? "",
		prepare_time: since ?? null,
		parameter_types: arrayOf(parameterTypes),
		from_sql: fromSql === true,
	}));
