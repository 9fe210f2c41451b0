/** The backslash commands of the shell: a handful of psql's, answered from the catalogs. */
import type { PgClient, QueryResult } from "./pg-client.ts";
import { formatResult } from "./table-format.ts";

/** What a command may change in the shell that runs it. */
export interface ShellState {
	timing: boolean;
}

export interface CommandOutcome {
	readonly lines: readonly string[];
	readonly quit?: boolean;
	readonly failed?: boolean;
}

export const commandHelp: readonly string[] = [
	"  \\d            tables, views and sequences",
	"  \\d NAME       columns and indexes of a table",
	"  \\dt           tables",
	"  \\l            databases",
	"  \\conninfo     where this session is connected",
	"  \\timing       show how long each statement takes (on or off)",
	"  \\q            quit",
	"A statement ends with a semicolon and may span lines. Ctrl-C stops it.",
];

/** `line` begins with a backslash. Rejects with `ServerError` where the catalogs cannot answer. */
export async function runCommand(
	line: string,
	client: PgClient,
	state: ShellState,
): Promise<CommandOutcome> {
	const [name, argument] = line.trim().replace(/;$/, "").split(/\s+/, 2);
	switch (name) {
		case "\\q":
			return { lines: [], quit: true };
		case "\\?":
		case "\\h":
			return { lines: commandHelp };
		case "\\d":
			return argument === undefined
				? titled("List of relations", await client.query(relationsQuery(["r", "p", "v", "m", "S"])))
				: describe(client, argument);
		case "\\dt":
			return titled("List of relations", await client.query(relationsQuery(["r", "p"])));
		case "\\l":
			return titled("List of databases", await client.query(databasesQuery));
		case "\\conninfo":
			return { lines: [connectionInfo(client)] };
		case "\\timing":
			state.timing = argument === undefined ? !state.timing : argument === "on";
			return { lines: [`Timing is ${state.timing ? "on" : "off"}.`] };
		default:
			return { lines: [`invalid command ${name}`, "Try \\? for help."], failed: true };
	}
}

function connectionInfo(client: PgClient): string {
	const { host, port, user, database } = client.options;
	const version = client.parameters.get("server_version") ?? "unknown version";
	return `You are connected to database "${database}" as user "${user}" on host "${host}" at port "${port}" (${version}).`;
}

const databasesQuery = `SELECT d.datname AS "Name", pg_catalog.pg_get_userbyid(d.datdba) AS "Owner"
FROM pg_catalog.pg_database d ORDER BY 1`;

function relationsQuery(kinds: readonly string[]): string {
	return `SELECT n.nspname AS "Schema", c.relname AS "Name",
  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS "Type",
  pg_catalog.pg_get_userbyid(c.relowner) AS "Owner"
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN (${kinds.map(literal).join(", ")})
  AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema'
ORDER BY 1, 2`;
}

async function describe(client: PgClient, given: string): Promise<CommandOutcome> {
	const { schema, name } = parseName(given);
	const found = await client.query(`SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ${literal(name)} AND ${
		schema === undefined
			? "pg_catalog.pg_table_is_visible(c.oid)"
			: `n.nspname = ${literal(schema)}`
	}`);
	const row = found[0]?.rows[0];
	if (row === undefined) {
		return { lines: [`Did not find any relation named "${given}".`], failed: true };
	}
	const oid = Number(row[0]);
	const columns = await client.query(`SELECT a.attname AS "Column",
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS "Type",
  CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS "Nullable",
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS "Default"
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`);
	const indexes = await client.query(`SELECT c.relname, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ${oid} ORDER BY 1`);
	const lines = [...titled(`Table "${row[1]}.${row[2]}"`, columns).lines].slice(0, -1);
	const definitions = indexes[0]?.rows ?? [];
	if (definitions.length > 0) {
		lines.push("Indexes:", ...definitions.map(([index, text]) => `    "${index}" ${text}`));
	}
	return { lines };
}

/** schema.name, each folded unless it is quoted. */
function parseName(text: string): { readonly schema?: string; readonly name: string } {
	const parts = text.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [text];
	const [first, second] = parts.map((part) =>
		part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase(),
	);
	return second === undefined ? { name: first! } : { schema: first!, name: second };
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function titled(title: string, results: readonly QueryResult[]): CommandOutcome {
	const lines = results.flatMap(formatResult);
	const width = lines[1]?.length ?? 0;
	return { lines: [" ".repeat(Math.max(0, (width - title.length) >> 1)) + title, ...lines] };
}
