/** Constraints of a table with many rows, beside writers, while the node that looks at the rows goes away. */
import { ownVersions } from "@quorate/keys/cluster-version";
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";

const rows = 1_500;
const limitMs = 120_000;
const never = new Promise<void>(() => {});

interface Form {
	readonly text: string;
	/** Makes a row that is wrong. */
	readonly before: string;
	/** Others. */
	readonly wrongs: readonly string[];
	readonly refusal: string;
	/** Counts those that are. */
	readonly count: string;
	readonly isKnown: string;
}

const ofConstraint = "select convalidated from pg_constraint where conname = 'c'";

const forms: readonly Form[] = [
	{
		text: "alter table t add constraint c check (k < 7)",
		before: "update t set k = 9 where id = 1400",
		wrongs: ["insert into t values (100000, 7)", "update t set k = 8 where id = 1200"],
		refusal: "23514",
		count: "select count(*) from t where k >= 7",
		isKnown: ofConstraint,
	},
	{
		text: "alter table t add constraint c foreign key (k) references p",
		before: "update t set k = 9 where id = 1400",
		wrongs: ["delete from p where a = 3", "insert into t values (100000, 7)"],
		refusal: "23503",
		count: "select count(*) from t left join p on k = a where a is null",
		isKnown: ofConstraint,
	},
	{
		text: "alter table t alter k set not null",
		before: "update t set k = null where id = 1400",
		wrongs: ["insert into t values (100000, null)", "update t set k = null where id = 700"],
		refusal: "23502",
		count: "select count(*) from t where k is null",
		isKnown:
			"select attnotnull from pg_attribute where attname = 'k' and attrelid = 't'::regclass and attnotnull",
	},
];

interface Outcome {
	/** Whether the constraint holds in the end; what became of the statement; and of those that contradict it. */
	readonly isValid: boolean;
	readonly statement: string;
	readonly wrong: readonly string[];
	readonly writes: number;
}

/** `isWrong`: a row is from the beginning. */
async function scenario(cluster: SimCluster, form: Form, isWrong: boolean): Promise<Outcome> {
	const { world, nodes } = cluster;
	const runtime = world.addMachine(100).boot();
	const random = world.random("validation");
	const open = (i: number) => SqlConnection.open(runtime, nodes[i]!.sqlAddress, never);
	const [first, second, third, fourth] = [
		await open(0),
		await open(1),
		await open(2),
		await open(2),
	];
	const one = async (text: string): Promise<string | null | undefined> =>
		(await second.query(text)).at(-1)?.rows[0]?.[0];
	while ((await one("show cluster_version")) !== String(ownVersions.newest)) await world.sleep(200);
	await second.query("create table p (a int primary key)");
	await second.query("insert into p select i from generate_series(0, 6) i");
	await second.query("create table t (id int primary key, k int)");
	await second.query(`insert into t select i, i % 7 from generate_series(1, ${rows}) i`);
	await second.query("alter table t split at values (500), (1000)");
	if (isWrong) await second.query(form.before);

	const statement = first.query(form.text).then(
		() => "done",
		(error: unknown) => (error instanceof SqlError ? error.code : "lost"),
	);
	let goesOn = true;
	let writes = 0;
	const write = async (): Promise<void> => {
		for (let i = 0; goesOn; i++) {
			const id = i % 2 === 0 ? rows + i : 1 + random.below(1_300);
			const text = `insert into t values (${id}, ${i % 3}) on conflict (id) do update set k = ${i % 3}`;
			try {
				await third.query(text);
				writes++;
			} catch (error) {
				if (!(error instanceof SqlError) || !mayFail.has(error.code)) throw error;
			}
			await world.sleep(random.below(30));
		}
	};
	const wrong: string[] = [];
	const contradict = async (): Promise<void> => {
		for (const text of form.wrongs) {
			await world.sleep(random.below(300));
			wrong.push(
				await fourth.query(text).then(
					() => "done",
					(error: SqlError) => error.code,
				),
			);
		}
	};
	const writing = write();
	const contradicting = random.below(3) > 0 ? contradict() : undefined;
	const isOver = async (): Promise<boolean> =>
		(await second.query("show jobs")).at(-1)!.rows.length === 0;
	let isAnswered = false;
	void statement.then(() => {
		isAnswered = true;
	});
	while (!isAnswered && (await isOver())) await world.sleep(1);
	await world.sleep(random.below(8));
	nodes[0]!.crash("process");
	await contradicting;
	await cluster.until("somebody has ended the job", limitMs, isOver);
	goesOn = false;
	await writing;
	const isValid = (await one(form.isKnown)) === "t";
	if (isValid && (await one(form.count)) !== "0") throw new Error("valid, and some rows are wrong");
	if (!isValid && (await one(ofConstraint)) !== undefined)
		throw new Error("neither valid nor gone");
	nodes[0]!.start();
	await cluster.until("it serves again", limitMs, () => nodes[0]!.keyValue !== undefined);
	return { isValid, statement: await statement, wrong, writes };
}

/** A leaseholder is gone. */
const mayFail: ReadonlySet<string> = new Set(["40001", "40003", "57P03"]);

test.serial("a constraint is valid in the end, and no row is wrong, or it is gone", async (t) => {
	const outcomes: Outcome[] = [];
	for (let seed = 1; seed <= 6; seed++) {
		const form = forms[seed % forms.length]!;
		const isWrong = seed % 2 === 0;
		const cluster = new SimCluster(seed);
		await cluster.start();
		const outcome = await cluster.run(scenario(cluster, form, isWrong), 600_000);
		const { isValid, wrong, writes } = outcome;
		const told = `seed ${seed}: ${JSON.stringify(outcome)}`;
		t.log(told);
		for (const one of wrong)
			t.true(one === "done" || one === form.refusal || mayFail.has(one), told);
		// Nobody has contradicted it: it holds, if anybody has heard of it.
		if (!isWrong && !wrong.includes("done") && outcome.statement === "done") t.true(isValid, told);
		t.false(isWrong && isValid, told);
		t.true(writes > 0, told);
		t.deepEqual(cluster.problems, []);
		outcomes.push(outcome);
	}
	t.true(outcomes.some(({ isValid, statement }) => isValid && statement !== "done"));
	t.true(outcomes.some(({ isValid }) => !isValid));
});

test.serial("CANCEL JOB reaches a job wherever it runs", async (t) => {
	for (const form of forms) {
		const cluster = new SimCluster(11);
		await cluster.start();
		const run = async (): Promise<void> => {
			const { world, nodes } = cluster;
			const runtime = world.addMachine(100).boot();
			const open = (i: number) => SqlConnection.open(runtime, nodes[i]!.sqlAddress, never);
			const [first, second] = [await open(0), await open(1)];
			const all = async (text: string) => (await second.query(text)).at(-1)!.rows;
			while ((await all("show cluster_version"))[0]?.[0] !== String(ownVersions.newest)) {
				await world.sleep(200);
			}
			await second.query("create table p (a int primary key)");
			await second.query("insert into p select i from generate_series(0, 6) i");
			await second.query("create table t (id int primary key, k int)");
			await second.query(`insert into t select i, i % 7 from generate_series(1, 6000) i`);
			const statement = first.query(form.text).then(
				() => "done",
				(error: SqlError) => `${error.code} ${error.message}`,
			);
			let jobs: Awaited<ReturnType<typeof all>> = [];
			while (jobs[0]?.[8] !== "1") jobs = await all("show jobs");
			await second.query(`cancel job ${jobs[0]?.[0]}`);
			t.is(await statement, `57014 canceling statement due to CANCEL JOB ${jobs[0]?.[0]}`);
			t.deepEqual(await all("show jobs"), []);
			t.deepEqual(await all(ofConstraint), []);
			await second.query(form.wrongs[0]!);
		};
		await cluster.run(run(), limitMs);
		t.deepEqual(cluster.problems, []);
	}
});
