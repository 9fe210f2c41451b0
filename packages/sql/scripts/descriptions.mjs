// Writes src/catalog/system-description-data.ts: what PostgreSQL 15 says of the types, functions, access methods and collations that
// there are here, too. Needs Debian's postgresql-15 and a build. Operators have theirs in system-operator-data.ts.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { collationOids } from "../dist/catalog/collations.js";
import { procedures } from "../dist/catalog/system-types.js";
import { PostgresServer } from "../dist/testing/postgres-server.js";
import { allTypes } from "../dist/types/registry.js";

const target = fileURLToPath(new URL("../src/catalog/system-description-data.ts", import.meta.url));
const server = await PostgresServer.start();

/** Fields of rows; the last one may have bars in it. */
function ask(fields, rest) {
	const query = `select ${fields} from ${rest} order by 1, 2`;
	const options = ["-X", "-A", "-t", "-q", "-F", "\x1f", "-h", server.directory, "-U", "quorate"];
	const out = execFileSync("psql", [...options, "-c", query, "postgres"], { encoding: "utf8" });
	return out.trimEnd().split("\n").map((line) => line.split("\x1f"));
}

const described = (catalog, name) =>
	ask(
		`${name}, description`,
		`${catalog} c join pg_description d on d.objoid = c.oid and d.classoid = '${catalog}'::regclass and objsubid = 0`,
	);

try {
	const here = new Set(allTypes().map(({ oid }) => String(oid)));
	const types = described("pg_type", "c.oid").filter(([oid]) => here.has(oid));
	const functions = described(
		"pg_proc",
		"proname, array_to_string(proargtypes::oid[], ' ')",
	);
	const byCall = new Map(functions.map(([name, args, text]) => [`${name}|${args}`, text]));
	const textsOf = (name) => new Set(functions.flatMap(([of, , text]) => (of === name ? [text] : [])));
	const lines = new Set();
	for (const { name, args } of procedures) {
		const call = `${name}|${args.join(" ")}`;
		const texts = textsOf(name);
		const text = byCall.get(call) ?? (texts.size === 1 ? [...texts][0] : undefined);
		if (text !== undefined) lines.add(`${call}|${text}`);
	}
	const named = [
		described("pg_am", "amname").filter(([name]) => name === "heap" || name === "btree"),
		described("pg_collation", "collname").filter(([name]) => name in collationOids),
	];
	writeFileSync(target, rendered(types, [...lines], ...named));
	console.log(`${types.length} types, ${lines.size} of ${procedures.length} functions`);
} finally {
	await server.stop();
}

function rendered(types, functions, methods, collations) {
	const text = (rows) => rows.map((row) => (Array.isArray(row) ? row.join("|") : row)).join("\n");
	const constant = (head, name, rows) =>
		`/** ${head} */\nexport const ${name} = \`\n${text(rows)}\n\`;\n`;
	return [
		"/** Made by scripts/descriptions.mjs: what PostgreSQL 15 says of what there is in every database. */\n",
		constant("OID, and what it is.", "typeDescriptions", types),
		constant("Name, type OIDs of the arguments, and what it does.", "functionDescriptions", functions),
		constant("Name, and what it is.", "methodDescriptions", methods),
		constant("Likewise.", "collationDescriptions", collations),
	].join("\n");
}
