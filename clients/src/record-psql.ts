/**
 * Records what psql shows of PostgreSQL 15 (`npm run record-psql -w clients`), and, where a cluster shows something else, that: the
 * differences, whose remarks stay. With --check it changes nothing, and exits with 1 if PostgreSQL shows something else by now.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Cluster } from "@quorate/embedded/cluster";
import { PostgresServer } from "@quorate/sql/testing/postgres-server";
import { parseAnswers, psqlAnswers, psqlOutput, renderAnswers } from "./psql-answers.ts";

const folder = new URL("../../testdata/clients/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text);

const commands = read("psql-commands.txt").trimEnd().split("\n");
const schema = read("shop.sql");
const server = await PostgresServer.start();
const at = `host=${server.directory} user=quorate dbname=`;
await psqlOutput(`${at}postgres`, "CREATE DATABASE quorate;");
await psqlOutput(`${at}quorate`, schema);
const recorded = await psqlAnswers(`${at}quorate`, commands);
await server.stop();
if (process.argv.includes("--check")) {
	const isSame = renderAnswers(recorded) === read("psql.txt");
	console.log(isSame ? `${recorded.length} commands` : "psql shows something else of PostgreSQL");
	process.exit(isSame ? 0 : 1);
}
write("psql.txt", renderAnswers(recorded));

const cluster = await Cluster.start();
await psqlOutput(cluster.connectionString, schema);
const here = await psqlAnswers(cluster.connectionString, commands);
await cluster.stop();
const remarks = new Map(
	parseAnswers(read("psql-differences.txt")).map(({ command, remark }) => [command, remark]),
);
const different = here
	.filter(({ shown }, i) => shown !== recorded[i]?.shown)
	.map((answer) => ({ ...answer, remark: remarks.get(answer.command) ?? "# Why?\n" }));
write("psql-differences.txt", renderAnswers(different));
console.log(`${recorded.length} commands, ${different.length} differences`);
