/** pg_settings: what the session says of its settings, and PostgreSQL about them. */
import { durationMs } from "@quorate/keys/duration";
import type { FunctionContext } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { settingData } from "./system-setting-data.ts";
import type { SystemRow } from "./system-table.ts";

const known = new Map(
	settingData
		.trim()
		.split("\n")
		.map((line) => {
			const [name = "", vartype = "", context = "", unit = "", ...texts] = line.split("|");
			const [category = "", short_desc = ""] = texts;
			const about = { vartype, context, unit: unit === "" ? null : unit, category, short_desc };
			return [name, about] as const;
		}),
);

const kilobytes: Readonly<Record<string, number>> = {
	B: 2 ** -10,
	kB: 1,
	MB: 1 << 10,
	GB: 1 << 20,
};

/** 5s is 5000 where the unit is ms. */
function inUnit(text: string, unit: string | null): string {
	if (unit === "ms" && /^\d/.test(text)) return String(durationMs(text));
	const [, number, of = "kB"] = /^(\d+)(B|kB|MB|GB)?$/.exec(text) ?? [];
	if (unit !== "kB" || number === undefined) return text;
	return String(Math.ceil(Number(number) * (kilobytes[of] ?? 1)));
}

export function* settingRows(_: CatalogSnapshot, context: FunctionContext): Iterable<SystemRow> {
	for (const row of context.sessionRows("pg_settings")) {
		const about = known.get(String(row["name"]));
		// As in PostgreSQL: `role` and its kin are no settings to look at.
		if (about === undefined) continue;
		const shown = (name: string): string => inUnit(String(row[name]), about.unit);
		const isFixed = about.context === "internal" || about.context === "postmaster";
		yield {
			...about,
			...row,
			context: row["context"] ?? (isFixed ? about.context : "internal"),
			setting: shown("setting"),
			boot_val: shown("boot_val"),
			reset_val: shown("reset_val"),
			pending_restart: false,
		};
	}
}
