/**
 * What users say of where data are to be: ALTER TABLE ... CONFIGURE, ALTER DATABASE ... CONFIGURE. A table has what it was given itself,
 * else what the database was given, else what holds for every cluster, setting by setting. What is no table's (the catalog, sequences)
 * follows the database.
 */
import { formatLocality, type Locality, parseLocality } from "@quorate/keys/locality";
import {
	defaultRule,
	formatConstraints,
	isSameRule,
	type PlacementRule,
	PlacementRules,
	parseConstraints,
	type RuledSpan,
} from "@quorate/keys/placement-rule";
import { databaseOf, firstDatabaseOid } from "./database.ts";
import type { TableDescriptor } from "./descriptor.ts";
import { allIndexIds } from "./dropped-index.ts";
import { indexSpan } from "./keys.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

/** As stored; absent: inherited. An empty text is a setting, too: none. */
export interface Configuration {
	readonly replicas?: number;
	/** `+region=eu,-zone=b` */
	readonly constraints?: string;
	/** `zone=a` */
	readonly leasePreference?: string;
}

export type Source = "table" | "database" | "cluster default";

/** The database's own; see `RightsDescriptor`. */
export const databaseConfiguration = (
	catalog: CatalogSnapshot,
	database = catalog.database,
): Configuration => catalog.rights(database)?.configuration ?? {};

export interface EffectiveSetting {
	readonly name: string;
	readonly value: string;
	readonly source: Source;
}

const names = {
	replicas: "replicas",
	constraints: "constraints",
	lease_preference: "leasePreference",
} as const;

export type SettingName = keyof typeof names;

export const settingNames = Object.keys(names) as readonly SettingName[];

export const fieldOf = (name: SettingName): keyof Configuration => names[name];

/** `table` undefined: the database. */
export function effectiveSettings(
	catalog: CatalogSnapshot,
	table: TableDescriptor | undefined,
): readonly EffectiveSetting[] {
	const levels: readonly (readonly [Source, Configuration])[] = [
		["table", table?.configuration ?? {}],
		["database", databaseConfiguration(catalog)],
	];
	const defaults: Readonly<Record<SettingName, string>> = {
		replicas: String(defaultRule.replicas),
		constraints: formatConstraints(defaultRule.constraints),
		lease_preference: formatLocality(defaultRule.leasePreference),
	};
	return settingNames.map((name) => {
		const level = levels.find(([, given]) => given[names[name]] !== undefined);
		if (level === undefined) return { name, value: defaults[name], source: "cluster default" };
		const [source, given] = level;
		return { name, value: String(given[names[name]]), source };
	});
}

const ruleOf = (given: Configuration, inherited: PlacementRule): PlacementRule => {
	const constraints =
		given.constraints === undefined ? undefined : parseConstraints(given.constraints);
	const preference: Locality | undefined =
		given.leasePreference === undefined ? undefined : parseLocality(given.leasePreference);
	return {
		replicas: given.replicas ?? inherited.replicas,
		constraints: constraints ?? inherited.constraints,
		leasePreference: preference ?? inherited.leasePreference,
		isConfigured: inherited.isConfigured || Object.keys(given).length > 0,
	};
};

/** For the scheduler. What is no table's follows the first database. */
export function placementRules(catalog: CatalogSnapshot): PlacementRules {
	const ruleOfDatabase = (oid: number): PlacementRule =>
		ruleOf(databaseConfiguration(catalog, oid), defaultRule);
	const base = ruleOfDatabase(firstDatabaseOid);
	const inherited = new Map([[firstDatabaseOid, base]]);
	for (const { oid } of catalog.otherDatabases()) inherited.set(oid, ruleOfDatabase(oid));
	const spans: RuledSpan[] = [];
	for (const table of catalog.relations()) {
		if (table.kind !== "table") continue;
		const { configuration = {} } = table;
		const rule = ruleOf(configuration, inherited.get(databaseOf(table)) ?? base);
		if (isSameRule(rule, base)) continue;
		for (const indexId of new Set(allIndexIds(table))) {
			spans.push({ span: indexSpan(indexId), rule });
		}
	}
	return new PlacementRules(base, spans);
}
