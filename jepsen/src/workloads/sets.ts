/** set: rows that are inserted once each; whoever looks sees all that was there. ids: values of a sequence, and of its own column. */
import type { Operation } from "@quorate/checker/operations";
import { checkSet } from "@quorate/checker/set";
import { pairs } from "@quorate/checker/transactions";
import { checkUniqueIds } from "@quorate/checker/unique-ids";
import { rowOf, spreadTables } from "./spread.ts";
import { verdict, type Work, type Workload } from "./workload.ts";

export function set(): Workload {
	const tables = spreadTables("element", "v int NOT NULL");
	let next = 0;
	const read: Work = {
		f: "read",
		value: null,
		run: (session) =>
			session.alone(async () => {
				const all = tables.names.map((name) => `SELECT v FROM ${name}`).join(" UNION ALL ");
				return (await session.query(all)).map(([value]) => Number(value));
			}),
	};
	return {
		name: "set",
		about: "what was inserted is seen by every later look, on any node, once",
		schema: tables.schema,
		split: tables.split,
		next: ({ random }) => {
			if (random.between(1, 12) === 1) return read;
			const value = next++;
			const table = tables.names[value % tables.names.length]!;
			return {
				f: "add",
				value,
				run: (session) =>
					session.alone(async () => {
						await session.query(`INSERT INTO ${table} VALUES (${rowOf(value)}, ${value})`);
						return value;
					}),
			};
		},
		finals: () => [read],
		check: checkAll,
	};
}

function checkAll(history: readonly Operation[]) {
	const all = pairs(history);
	const adds = all.flatMap(({ f, asked, status, invoked, completed }) =>
		f === "add" ? [{ element: asked as number, status, invoked, completed }] : [],
	);
	const reads = all.flatMap(({ f, answered, status, invoked, completed }) =>
		f === "read" && status === "ok"
			? [{ elements: answered as readonly number[], invoked, completed }]
			: [],
	);
	const result = checkSet(adds, reads);
	const findings = (["lost", "stale", "unexpected", "duplicated"] as const).flatMap((kind) =>
		result[kind].length === 0
			? []
			: [
					{
						kind,
						explanation: [`${result[kind].length}: ${result[kind].slice(0, 20).join(", ")}`],
					},
				],
	);
	const { acknowledged, recovered, neverRead, valid } = result;
	const counts = { reads: reads.length, acknowledged, recovered: recovered.length };
	return verdict(findings, { ...counts, "never read": neverRead.length }, valid);
}

export function ids(): Workload {
	const generate: readonly Work[] = [
		{
			f: "sequence",
			value: null,
			run: (session) =>
				session.alone(async () => Number(await session.value("SELECT nextval('numbers')"))),
		},
		{
			f: "serial",
			value: null,
			run: (session) =>
				session.alone(async () =>
					Number(await session.value("INSERT INTO numbered (v) VALUES (1) RETURNING id")),
				),
		},
	];
	return {
		name: "ids",
		about: "values of sequences are handed out once",
		schema: [
			"CREATE SEQUENCE numbers",
			"CREATE TABLE numbered (id serial PRIMARY KEY, v int NOT NULL)",
			"ALTER TABLE numbered SPLIT AT VALUES (500), (1000)",
		],
		split: (random) => `ALTER TABLE numbered SPLIT AT VALUES (${random.between(1, 3_000)})`,
		next: ({ random }) => generate[random.between(0, 1)]!,
		check: (history) => {
			const all = pairs(history).filter(({ status }) => status === "ok");
			const results = generate.map(({ f }) => {
				const values = all.flatMap((o) => (o.f === f ? [o.answered as number] : []));
				return { f, ...checkUniqueIds(values) };
			});
			const findings = results.flatMap(({ f, duplicates }) =>
				duplicates.map(([id, times]) => ({
					kind: "duplicate-id",
					explanation: [`${f} handed out ${id} ${times} times`],
				})),
			);
			const counts = Object.fromEntries(results.map(({ f, count }) => [f, count]));
			return verdict(
				findings,
				counts,
				results.every(({ valid }) => valid),
			);
		},
	};
}
