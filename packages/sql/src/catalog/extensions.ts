/**
 * Contributed modules of PostgreSQL whose functions are always here, in pg_catalog. CREATE EXTENSION IF NOT EXISTS finds them; nothing can be
 * added or dropped.
 */
import { uuidFunctions } from "../functions/uuid-functions.ts";
import type { SystemRow } from "./system-table.ts";

export interface Extension {
	/** Below those that pg_dump takes for somebody's. */
	readonly oid: number;
	readonly name: string;
	readonly version: string;
	readonly comment: string;
	/** What of it is there, where that is not all. */
	readonly only?: string;
}

export const extensions: readonly Extension[] = [
	{
		oid: 13_900,
		name: "plpgsql",
		version: "1.0",
		comment: "PL/pgSQL procedural language",
		only: "the name, as every database has it: functions cannot be made in it",
	},
	{
		oid: 13_901,
		name: "pgcrypto",
		version: "1.3",
		comment: "cryptographic functions",
		only: "digest, hmac, gen_random_bytes and gen_random_uuid",
	},
	{
		oid: 13_902,
		name: "uuid-ossp",
		version: "1.1",
		comment: "generate universally unique identifiers (UUIDs)",
	},
];

/** Functions that dumps of PostgreSQL name by the schema that the module was put into. */
export const isOfExtension = (name: string): boolean => named.has(name);

const named: ReadonlySet<string> = new Set(uuidFunctions.map(({ name }) => name));

export const extensionRows = (): SystemRow[] =>
	extensions.map(({ oid, name, version }) => ({
		oid,
		extname: name,
		extowner: 10,
		extnamespace: 11,
		extrelocatable: false,
		extversion: version,
		extconfig: null,
		extcondition: null,
	}));

export const extensionVersionRows = (): SystemRow[] =>
	extensions.map(({ name, version, comment }) => ({
		name,
		version,
		installed: true,
		superuser: true,
		trusted: true,
		relocatable: true,
		schema: null,
		requires: null,
		comment,
	}));

export const availableExtensionRows = (): SystemRow[] =>
	extensions.map(({ name, version, comment }) => ({
		name,
		default_version: version,
		installed_version: version,
		comment,
	}));
