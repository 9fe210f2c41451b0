/**
 * Backups of a bank that goes on meanwhile, with nodes killed in the middle, restored into a cluster of another size: at every moment the
 * total is right, and the rows are those that the original shows AS OF then.
 */
import { key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { Runtime } from "@quorate/runtime/runtime";
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const directory = "/backups/bank";
const accounts = 30;
const total = String(accounts * 100);
const limits = { backupFileBytes: 500, restoreBatchRows: 8 };
const limitMs = 120_000;

const contents = {
	account: "SELECT id, owner, balance FROM account",
	log: "SELECT n, from_id, to_id FROM log",
} as const;

class Bank {
	readonly cluster: SimCluster;
	readonly runtime: Runtime;

	constructor(seed: number, nodes: number, more: Limits = {}) {
		this.cluster = new SimCluster(seed, { nodes, limits: { ...limits, ...more } });
		this.runtime = this.cluster.world.addMachine(100).boot();
	}

	run<T>(work: Promise<T>): Promise<T> {
		return this.cluster.run(work, limitMs);
	}

	/** One statement on a node, again until it works; what it did before an answer was lost is known by its error. */
	async insist(node: number, text: string, done?: string) {
		for (;;) {
			try {
				return await this.once(node, text);
			} catch (error) {
				if (error instanceof SqlError && error.code === done) return { rows: [], notices: [] };
				const isPassing =
					error instanceof ConnectionLostError ||
					(error instanceof SqlError && ["40001", "57P03", "40003", "57P01"].includes(error.code));
				if (!isPassing) throw error;
				this.cluster.event(`${text}: ${error.message}`);
				await this.cluster.world.sleep(300);
			}
		}
	}

	async once(node: number, text: string) {
		const { sqlAddress, ended } = this.cluster.nodes[node]!;
		const gone = ended.then(() => this.cluster.world.sleep(500));
		const connection = await SqlConnection.open(this.runtime, sqlAddress, gone);
		try {
			const rows = (await connection.query(text)).at(-1)?.rows ?? [];
			return { rows, notices: connection.notices };
		} finally {
			connection.close();
		}
	}

	async rows(node: number, text: string) {
		return (await this.insist(node, text)).rows;
	}

	/** The node dies in its n-th write of such a file, or right after, and comes back. */
	killAt(node: number, path: RegExp, n: number): void {
		const { machine } = this.cluster.nodes[node]!;
		let left = n;
		machine.disk.onOperation = (operation, at) => {
			if (operation !== "replace" || !path.test(at) || --left !== 0) return;
			machine.disk.onOperation = undefined;
			this.kill(node);
		};
	}

	kill(node: number): void {
		const one = this.cluster.nodes[node]!;
		this.cluster.event(`${one} is killed`);
		this.cluster.world.schedule(0, () => {
			one.crash("process");
			this.cluster.world.schedule(700, () => one.start());
		});
	}
}

/** Moves money until it is told to stop. */
async function transfers(
	bank: Bank,
	client: number,
	isOver: () => boolean,
	pauseMsMax = 60,
): Promise<number> {
	const random = bank.cluster.world.random(`transfers ${client}`);
	let done = 0;
	while (!isOver()) {
		const [from, to] = [random.below(accounts), random.below(accounts)];
		const amount = 1 + random.below(5);
		const statement = `BEGIN;
			UPDATE account SET balance = balance - ${amount} WHERE id = ${from};
			UPDATE account SET balance = balance + ${amount} WHERE id = ${to};
			${random.chance(0.3) ? `INSERT INTO log (from_id, to_id) VALUES (${from}, ${to});` : ""}
			${random.chance(0.1) ? `DELETE FROM log WHERE from_id = ${to};` : ""}
			COMMIT`;
		try {
			await bank.once(random.below(bank.cluster.nodes.length), statement);
			done++;
		} catch (error) {
			if (!(error instanceof SqlError || error instanceof ConnectionLostError)) throw error;
		}
		await bank.cluster.world.sleep(random.below(pauseMsMax));
	}
	return done;
}

async function makeBank(bank: Bank): Promise<void> {
	for (const statement of [
		"CREATE TABLE account (id int PRIMARY KEY, owner text UNIQUE, balance int NOT NULL)",
		"CREATE INDEX by_balance ON account (balance)",
		"CREATE TABLE log (n serial PRIMARY KEY, from_id int, to_id int)",
	]) {
		await bank.insist(0, statement, "42P07");
	}
	const fill = `INSERT INTO account SELECT x, 'o' || x, 100 FROM generate_series(0, ${accounts - 1}) AS s (x)`;
	await bank.insist(0, fill, "23505");
	await bank.insist(0, "ALTER TABLE account SPLIT AT VALUES (7), (19)");
	await bank.insist(0, "ALTER TABLE log SPLIT AT VALUES (10)");
}

interface Moment {
	readonly at: string;
	readonly rows: Readonly<Record<keyof typeof contents, unknown>>;
}

/** What the bank shows as of then. */
async function asOf(bank: Bank, at: string): Promise<Moment> {
	const show = (query: string) => bank.rows(1, `${query} AS OF SYSTEM TIME ${at} ORDER BY 1`);
	return { at, rows: { account: await show(contents.account), log: await show(contents.log) } };
}

/** A full and two incremental backups while money moves; each is interrupted once. */
async function backUp(t: ExecutionContext, bank: Bank): Promise<readonly Moment[]> {
	let isOver = false;
	const clients = [1, 2, 3].map((client) => transfers(bank, client, () => isOver));
	const { world } = bank.cluster;
	const moments: string[] = [];
	const live = async (): Promise<void> => {
		for (let i = 0; i < 3; i++) {
			await world.sleep(300);
			moments.push((await bank.rows(1, "SELECT quorate_read_timestamp()"))[0]![0]!);
		}
	};
	await live();
	moments.length = 0;
	let resumed = 0;
	for (const [turn, text] of ["", " INCREMENTAL", " INCREMENTAL"].entries()) {
		bank.killAt(0, /\.data$/, 2);
		const statement = `BACKUP DATABASE quorate TO '${directory}'${text}`;
		const { notices } = await bank.insist(0, statement);
		if (/unfinished backup up to \d+ is gone on with/.test(notices.join())) resumed++;
		const ends = await bank.rows(0, `SHOW BACKUP '${directory}'`);
		moments.push(ends.at(-1)![3]!);
		if (turn < 2) await live();
	}
	// One that died after its last file had nothing left to go on with.
	t.true(resumed >= 2, `${resumed} of 3 backups were gone on with`);
	t.deepEqual(await bank.rows(1, "SHOW JOBS"), []);
	isOver = true;
	const counts = await Promise.all(clients);
	t.true(counts.reduce((sum, n) => sum + n) > 50);
	const shown: Moment[] = [];
	for (const at of moments) shown.push(await asOf(bank, at));
	return shown;
}

async function restoreAll(
	t: ExecutionContext,
	bank: Bank,
	moments: readonly Moment[],
): Promise<void> {
	let resumed = 0;
	for (const [turn, { at, rows }] of moments.entries()) {
		const { world } = bank.cluster;
		const statement = `RESTORE DATABASE quorate FROM '${directory}' AS OF SYSTEM TIME ${at}`;
		if (turn % 3 === 0) world.schedule(25 + 15 * turn, () => bank.kill(1));
		const { notices } = await bank.insist(1, statement, "42P07");
		if (/unfinished restore is gone on with/.test(notices.join())) resumed++;
		const show = (query: string) => bank.rows(2, `${query} ORDER BY 1`);
		t.deepEqual(await show(contents.account), rows.account);
		t.deepEqual(await show(contents.log), rows.log);
		// By way of the other index, and what money there is.
		const sum = "SELECT sum(balance) FROM account WHERE balance > -1000000";
		t.deepEqual(await bank.rows(2, sum), [[total]]);
		await bank.insist(1, "INSERT INTO log (from_id) VALUES (1)");
		await bank.cluster.administer("drop", ({ sessions }) => sessions.dropEverything());
	}
	t.true(resumed > 0);
	t.deepEqual(await bank.rows(2, "SHOW JOBS"), []);
}

for (const seed of [1]) {
	test.serial(`backups of a bank that goes on, seed ${seed}`, async (t) => {
		const bank = new Bank(seed, 3);
		await bank.cluster.start();
		await bank.run(makeBank(bank));
		const moments = await bank.run(backUp(t, bank));
		t.is(moments.length, 9);
		const { files } = bank.cluster.nodes[0]!.machine.process!.runtime;
		const other = new Bank(seed + 100, 5);
		await other.cluster.start();
		// As an operator carries a directory from one machine to another.
		const copy = other.cluster.nodes[1]!.machine.process!.runtime.files;
		await other.run(copy.makeDirectory(directory));
		for (const name of await bank.run(files.list(directory))) {
			const bytes = await bank.run(files.readWhole(`${directory}/${name}`));
			await other.run(copy.replace(`${directory}/${name}`, bytes!));
		}
		// What is restored gets ranges of its own.
		await other.run(other.cluster.splitAt([key("\x01n"), key("\x02")]));
		await other.run(restoreAll(t, other, moments));
		t.deepEqual([...bank.cluster.problems, ...other.cluster.problems], []);
	});
}

test.serial(
	"an interrupted backup finds its history held, and nobody holds it after the end",
	async (t) => {
		const bank = new Bank(7, 3, { collectMs: 500 });
		const { world } = bank.cluster;
		await bank.cluster.start();
		await bank.run(makeBank(bank));
		await bank.run(bank.insist(0, "ALTER SYSTEM SET gc_ttl = '1s'"));
		let isOver = false;
		const clients = [1, 2].map((client) => transfers(bank, client, () => isOver, 400));
		const statement = `BACKUP DATABASE quorate TO '${directory}'`;
		bank.killAt(0, /\.data$/, 2);
		await t.throwsAsync(bank.run(bank.once(0, statement)), { instanceOf: ConnectionLostError });
		await world.runFor(15_000);
		const { notices } = await bank.run(bank.insist(0, statement));
		t.regex(
			notices.join(),
			/^an unfinished backup up to \d+ is gone on with: [12] files are there$/,
		);
		const [shown] = await bank.run(bank.rows(0, `SHOW BACKUP '${directory}'`));
		await world.runFor(5_000);
		isOver = true;
		await bank.run(Promise.all(clients));
		const past = bank.once(1, `SELECT * FROM account AS OF SYSTEM TIME ${shown![3]}`);
		const error = await t.throwsAsync(bank.run(past), { instanceOf: SqlError });
		t.is(error.code, "72000");
		t.deepEqual(bank.cluster.problems, []);
	},
);
