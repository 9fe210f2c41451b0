/** Rows of a table that become others, beside writers, while the node that goes over the rows goes away. */
import { ownVersions } from "@quorate/keys/cluster-version";
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";

const rows = 1_100;
const limitMs = 120_000;
const never = new Promise<void>(() => {});

interface Form {
	readonly text: string;
	/** A row has a value that cannot be. */
	readonly before?: string;
	/** Tells that it is done. */
	readonly isDone: string;
	/** How a value that somebody has written reads then. */
	readonly holds: string;
	/** What a writer is told whose row cannot be. */
	readonly refusal?: string;
}

const hasColumn = (name: string): string =>
	`select count(*) from pg_attribute where attrelid = 't'::regclass and attname = '${name}'`;
const isOfType = (name: string, type: string): string =>
	`${hasColumn(name)} and atttypid = '${type}'::regtype`;

const forms: readonly Form[] = [
	{
		text: "alter table t alter n type int using n::int",
		isDone: isOfType("n", "int"),
		holds: "select bool_and(n >= 0) from t",
		refusal: "22P02",
	},
	{
		text: "alter table t add u uuid not null default gen_random_uuid() unique",
		isDone: hasColumn("u"),
		holds: "select count(distinct u) = count(*) from t",
	},
	{
		text: "alter table t drop constraint t_pkey",
		isDone: "select 1 - count(*) from pg_constraint where conname = 't_pkey'",
		holds: "select true",
	},
	{
		text: "alter table t add s serial, alter id type text",
		isDone: isOfType("id", "text"),
		holds: "select count(distinct s) = count(*) from t",
	},
	{
		text: "alter table t alter n type int using n::int",
		before: "update t set n = 'none' where id = 1050",
		isDone: isOfType("n", "int"),
		holds: "select bool_and(n >= 0) from t",
		refusal: "22P02",
	},
];

interface Outcome {
	readonly isDone: boolean;
	readonly statement: string;
	readonly wrong: string;
	readonly writes: number;
}

/** A leaseholder is gone. */
const mayFail: ReadonlySet<string> = new Set(["40001", "40003", "57P03"]);

/** What the rows of a table are, as far as clients have been told. */
class Model {
	/** By id; undefined: it may be one or another. */
	readonly values = new Map<string, string | undefined>();

	constructor() {
		for (let i = 1; i <= rows; i++) this.values.set(String(i), String(i * 3));
	}

	written(id: string, value: string | undefined, error: unknown): void {
		if (error === undefined) {
			if (value === undefined) this.values.delete(id);
			else this.values.set(id, value);
			return;
		}
		if (!(error instanceof SqlError) || !mayFail.has(error.code)) throw error;
		// Whether it was done is not known.
		if (error.code === "40003") this.values.set(id, undefined);
	}

	/** Throws what is not as it was written. */
	check(found: readonly (readonly (string | null)[])[]): void {
		const seen = new Set<string>();
		for (const [id, n] of found) {
			if (seen.has(id!)) throw new Error(`row ${id} is there twice`);
			seen.add(id!);
			if (id === "100000" || id === "1050") continue;
			if (!this.values.has(id!)) throw new Error(`row ${id} was deleted`);
			const value = this.values.get(id!);
			if (value !== undefined && value !== n) throw new Error(`row ${id}: ${n}, not ${value}`);
		}
		for (const [id, value] of this.values) {
			if (value !== undefined && !seen.has(id)) throw new Error(`row ${id} is gone`);
		}
	}
}

async function scenario(cluster: SimCluster, form: Form): Promise<Outcome> {
	const { world, nodes } = cluster;
	const runtime = world.addMachine(100).boot();
	const random = world.random("rewriting");
	const open = (i: number) => SqlConnection.open(runtime, nodes[i]!.sqlAddress, never);
	const [first, second, third, fourth] = [
		await open(0),
		await open(1),
		await open(2),
		await open(2),
	];
	const all = async (text: string) => (await second.query(text)).at(-1)!.rows;
	const one = async (text: string) => (await all(text))[0]?.[0];
	while ((await one("show cluster_version")) !== String(ownVersions.newest)) await world.sleep(200);
	await second.query("create table t (id int primary key, n text, k int)");
	await second.query("create index t_k on t (k)");
	await second.query(
		`insert into t select i, (i * 3)::text, i % 7 from generate_series(1, ${rows}) i`,
	);
	await second.query("alter table t split at values (400), (800)");
	if (form.before !== undefined) await second.query(form.before);

	const told = (error: unknown): string => (error instanceof SqlError ? error.code : "lost");
	let isAnswered = false;
	const statement = first.query(form.text).then(() => "done", told);
	void statement.then(() => {
		isAnswered = true;
	});
	const model = new Model();
	let goesOn = true;
	let pauseMs = 30;
	let writes = 0;
	const write = async (): Promise<void> => {
		for (let i = 0; goesOn; i++) {
			const isNew = i % 3 === 0;
			const id = String(isNew ? rows + 1 + i : 1 + random.below(1_000));
			const isGoing = i % 7 === 1 && model.values.get(id) !== undefined;
			const value = isGoing ? undefined : String(i);
			const insert = `insert into t (id, n, k) values ('${id}', '${i}', ${i % 7})`;
			const update = `update t set n = '${i}', k = ${i % 7} where id = '${id}'`;
			const change = isGoing ? `delete from t where id = '${id}'` : update;
			if (!isNew && !model.values.has(id)) continue;
			const error = await third.query(isNew ? insert : change).then(
				() => undefined,
				(reason: unknown) => reason,
			);
			model.written(id, value, error);
			if (error === undefined) writes++;
			await world.sleep(random.below(pauseMs));
		}
	};
	const contradict = async (): Promise<string> => {
		await world.sleep(random.below(200));
		return fourth
			.query("insert into t (id, n, k) values ('100000', 'x', 1)")
			.then(() => "done", told);
	};
	const writing = write();
	const contradicting = form.refusal === undefined ? Promise.resolve("done") : contradict();
	const isOver = async (): Promise<boolean> => (await all("show jobs")).length === 0;
	while (!isAnswered && (await isOver())) await world.sleep(1);
	await world.sleep(random.below(12));
	nodes[0]!.crash("process");
	// It takes a while until it is taken for gone.
	pauseMs = 400;
	const wrong = await contradicting;
	await cluster.until("somebody has ended the job", limitMs, isOver);
	goesOn = false;
	await writing;
	const isDone = (await one(form.isDone)) === "1";
	if (isDone && (await one(form.holds)) !== "t") throw new Error("rows are not as they should be");
	model.check(await all("select id, n from t order by id"));
	for (let k = 0; k < 7; k++) {
		const [byIndex, byRow] = [
			await all(`select id, n from t where k = ${k} order by id`),
			await all(`select id, n from t where k + 0 = ${k} order by id`),
		];
		if (String(byIndex) !== String(byRow)) throw new Error(`the index has other rows with ${k}`);
	}
	nodes[0]!.start();
	await cluster.until("it serves again", limitMs, () => nodes[0]!.keyValue !== undefined);
	return { isDone, statement: await statement, wrong, writes };
}

test.serial("rows have become others in the end, or are as they were", async (t) => {
	const outcomes: Outcome[] = [];
	for (let seed = 1; seed <= 5; seed++) {
		const form = forms[seed % forms.length]!;
		const cluster = new SimCluster(seed);
		await cluster.start();
		const outcome = await cluster.run(scenario(cluster, form), 600_000);
		const { isDone, statement, wrong, writes } = outcome;
		const told = `seed ${seed}: ${form.text}: ${JSON.stringify(outcome)}`;
		t.log(told);
		t.true(wrong === "done" || wrong === form.refusal || mayFail.has(wrong), told);
		if (statement === "done") t.true(isDone, told);
		t.false(isDone && form.before !== undefined, told);
		t.true(writes > 0, told);
		t.deepEqual(cluster.problems, []);
		outcomes.push(outcome);
	}
	t.true(outcomes.some(({ isDone, statement }) => isDone && statement !== "done"));
	t.true(outcomes.some(({ isDone }) => !isDone));
});
