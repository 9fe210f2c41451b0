/** A COPY that does not end well leaves no row: rolled back, with a bad last row, or with its client killed on the way. */
import { until } from "../harness/poll.ts";
import { psql, startPsql } from "../tools/psql.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

const rows = (count: number): string =>
	Array.from({ length: count }, (_, index) => `${index + 1}\tsome text of row ${index + 1}\n`).join(
		"",
	);

export async function copyLeavesNothing(
	context: ScenarioContext,
	count: number,
): Promise<Violations> {
	const node = context.cluster.node(1);
	const other = context.cluster.node(2);
	const visible = async (): Promise<string> => {
		const { out, err } = await psql(other, ["-Atc", "SELECT count(*) FROM copied"]);
		return `${out}${err}`.trim();
	};
	const found: string[] = [];
	const check = async (what: string, expected: string): Promise<void> => {
		const seen = await visible();
		if (seen !== expected) {
			found.push(`after ${what} there are ${seen} rows, not ${expected}`);
		}
	};
	await psql(node, ["-c", "CREATE TABLE copied (id int PRIMARY KEY, t text NOT NULL)"]);

	const rolledBack = `BEGIN;\nCOPY copied FROM STDIN;\n${rows(count)}\\.\nSELECT count(*) FROM copied;\nROLLBACK;\n`;
	const inside = await psql(node, ["-At"], rolledBack);
	if (!inside.out.split("\n").includes(String(count))) {
		found.push(`the COPY does not see its rows: ${inside.out}${inside.err}`);
	}
	await check("ROLLBACK", "0");

	const bad = await psql(
		node,
		["-c", "COPY copied FROM STDIN"],
		`${rows(count)}${count + 1}\t\\N\n`,
	);
	if (bad.status === 0 || !bad.err.includes("null value in column")) {
		found.push(`a bad last row was not refused: ${bad.out}${bad.err}`);
	}
	await check("a bad last row", "0");

	await killDuringCopy(context, count);
	await check("kill -9 of the client", "0");

	const good = await psql(node, ["-c", "COPY copied FROM STDIN"], rows(count));
	if (good.out.trim() !== `COPY ${count}`) {
		found.push(`COPY answered ${good.out}${good.err}`);
	}
	await check("COPY", String(count));
	await psql(node, ["-c", "DROP TABLE copied"]);
	return found;
}

async function killDuringCopy({ cluster }: ScenarioContext, count: number): Promise<void> {
	const node = cluster.node(1);
	const connections = () => node.metric("quorate_sql_connections");
	const before = await connections();
	const client = startPsql(node, ["-c", "COPY copied FROM STDIN"]);
	const text = rows(count);
	await new Promise<void>((resolve) => client.input.write(text, () => resolve()));
	await until("the COPY has begun", async () => (await connections()) > before);
	client.kill();
	await client.result;
	await until("the node has noticed that its client is gone", async () => {
		return (await connections()) <= before;
	});
}
