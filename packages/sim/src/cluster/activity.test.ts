/** What any node tells of sessions, transactions and locks of all, and does to sessions of others. */
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const never = new Promise<void>(() => {});

class Cluster {
	readonly cluster: SimCluster;
	readonly #runtime;

	constructor(seed: number) {
		this.cluster = new SimCluster(seed);
		this.#runtime = this.cluster.world.addMachine(100).boot();
	}

	async start(): Promise<void> {
		await this.cluster.start();
		await this.on(0, (c) => c.query("CREATE TABLE t (id int PRIMARY KEY, v int)"));
		await this.on(0, (c) => c.query("INSERT INTO t VALUES (1, 0), (2, 0)"));
	}

	open(node: number): Promise<SqlConnection> {
		const { sqlAddress } = this.cluster.nodes[node]!;
		return this.run(SqlConnection.open(this.#runtime, sqlAddress, never));
	}

	async on<T>(node: number, body: (c: SqlConnection) => Promise<T>): Promise<T> {
		const connection = await this.open(node);
		const result = await this.run(body(connection));
		connection.close();
		return result;
	}

	run<T>(work: Promise<T>): Promise<T> {
		return this.cluster.run(work, 60_000);
	}

	async rows(connection: SqlConnection, text: string) {
		return (await this.run(connection.query(text))).at(-1)!.rows;
	}

	async pid(connection: SqlConnection): Promise<number> {
		return Number((await this.rows(connection, "SELECT pg_backend_pid()"))[0]![0]);
	}
}

/** One has locked a row from node 2; another, on node 3, waits for it; a third looks from node 1. */
async function waiting(seed: number) {
	const cluster = new Cluster(seed);
	await cluster.start();
	const [holder, waiter, observer] = [
		await cluster.open(1),
		await cluster.open(2),
		await cluster.open(0),
	];
	const [holderPid, waiterPid] = [await cluster.pid(holder), await cluster.pid(waiter)];
	await cluster.run(holder.query("BEGIN"));
	await cluster.run(holder.query("SELECT * FROM t WHERE id = 1 FOR UPDATE"));
	await cluster.run(waiter.query("BEGIN"));
	let end: string | undefined;
	const ended = waiter.query("UPDATE t SET v = 1 WHERE id = 1").then(
		() => {
			end = "done";
		},
		(error) => {
			end = error instanceof SqlError ? error.code : String(error.message);
		},
	);
	await cluster.cluster.world.runFor(500);
	return { cluster, holder, waiter, observer, holderPid, waiterPid, ended, end: () => end };
}

test.serial("who waits for whom, since when, and where", async (t) => {
	const { cluster, observer, holderPid, waiterPid, waiter, ended, holder } = await waiting(1);
	const ranges = await cluster.rows(
		observer,
		`SELECT mode, granted, pid, table_name, blocked_by, range_id > 0, clock_timestamp() - waits_since < interval '2 s'
		 FROM quorate_locks ORDER BY granted DESC`,
	);
	t.deepEqual(ranges, [
		["update", "t", String(holderPid), "t", null, "t", null],
		["no key update", "f", String(waiterPid), "t", `{${holderPid}}`, "t", "t"],
	]);
	t.deepEqual(
		await cluster.rows(
			observer,
			`SELECT node_id, pid, state, isolation, blocked_by, waits_on_range IS NOT NULL
			 FROM quorate_transactions WHERE pid <> pg_backend_pid() ORDER BY pid`,
		),
		[
			["2", String(holderPid), "idle in transaction", "serializable", null, "f"],
			["3", String(waiterPid), "active", "serializable", `{${holderPid}}`, "t"],
		],
	);
	t.deepEqual(
		await cluster.rows(
			observer,
			"SELECT l.mode, l.granted, c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation ORDER BY granted DESC",
		),
		[
			["AccessExclusiveLock", "t", "t"],
			["ExclusiveLock", "f", "t"],
		],
	);
	t.deepEqual(
		await cluster.rows(
			observer,
			"SELECT pid, wait_event_type, query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()",
		),
		[[String(waiterPid), "Lock", "UPDATE t SET v = 1 WHERE id = 1"]],
	);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_blocking_pids(${waiterPid})`), [
		[`{${holderPid}}`],
	]);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_blocking_pids(${holderPid})`), [["{}"]]);
	await cluster.run(holder.query("COMMIT"));
	await cluster.run(ended);
	await cluster.run(waiter.query("COMMIT"));
	t.deepEqual(await cluster.rows(observer, "SELECT count(*) FROM quorate_locks"), [["0"]]);
	t.deepEqual(cluster.cluster.problems, []);
});

test.serial("a statement is cancelled, and a session ended, from another node", async (t) => {
	const { cluster, observer, holder, holderPid, waiterPid, ended, end } = await waiting(2);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_cancel_backend(${waiterPid})`), [["t"]]);
	await cluster.run(ended);
	t.is(end(), "57014");
	t.deepEqual(
		await cluster.rows(observer, "SELECT count(*) FROM quorate_locks WHERE NOT granted"),
		[["0"]],
	);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_terminate_backend(${holderPid}, 5000)`), [
		["t"],
	]);
	t.false(holder.isOpen);
	t.deepEqual(await cluster.rows(observer, "SELECT count(*) FROM quorate_locks"), [["0"]]);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_cancel_backend(${holderPid})`), [["f"]]);
	t.deepEqual(observer.notices, [`PID ${holderPid} is not a PostgreSQL server process`]);
	t.deepEqual(cluster.cluster.problems, []);
});

test.serial("a client that disconnects has rolled back at once", async (t) => {
	const { cluster, holder, waiter, waiterPid, ended, end, observer } = await waiting(3);
	const beforeMs = cluster.cluster.world.nowMs;
	holder.close();
	await cluster.run(ended);
	t.is(end(), "done");
	t.true(cluster.cluster.world.nowMs - beforeMs < 100);
	// Also one whose statement waits.
	const behind = await cluster.open(1);
	const behindPid = await cluster.pid(behind);
	const lost = behind.query("UPDATE t SET v = 2 WHERE id = 1").catch((error) => error);
	await cluster.cluster.world.runFor(200);
	t.deepEqual(await cluster.rows(observer, `SELECT pg_blocking_pids(${behindPid})`), [
		[`{${waiterPid}}`],
	]);
	behind.close();
	t.true((await cluster.run(lost)) instanceof ConnectionLostError);
	await cluster.cluster.world.runFor(100);
	t.deepEqual(
		await cluster.rows(observer, "SELECT count(*) FROM quorate_locks WHERE NOT granted"),
		[["0"]],
	);
	await cluster.run(waiter.query("COMMIT"));
	t.deepEqual(cluster.cluster.problems, []);
});

for (const kind of ["process", "power"] as const) {
	test.serial(`the locks of a gateway that dies (${kind}) go within five seconds`, async (t) => {
		for (let seed = 4; seed <= 6; seed++) {
			const { cluster, ended, end, observer } = await waiting(seed);
			const [victim] = cluster.cluster.nodes.slice(1);
			const beforeMs = cluster.cluster.world.nowMs;
			victim!.crash(kind);
			// A dead node leaves a warning, not a hang.
			const views = cluster.run(observer.query("SELECT count(*) FROM pg_stat_activity"));
			await views;
			t.true(cluster.cluster.world.nowMs - beforeMs < 2_500, "the view");
			t.regex(observer.notices.join("\n"), /node 2 did not answer: its sessions/);
			await cluster.run(ended);
			const tookMs = cluster.cluster.world.nowMs - beforeMs;
			t.log(`seed ${seed}: ${tookMs.toFixed(0)} virtual ms, ${end()}`);
			t.is(end(), "done");
			t.true(tookMs <= 5_000, `${tookMs} ms`);
			t.deepEqual(cluster.cluster.problems, []);
		}
	});
}

test.serial(
	"a snapshot is of the session that exported it, wherever it is asked for",
	async (t) => {
		const cluster = new Cluster(7);
		await cluster.start();
		const [exporter, importer, writer] = [
			await cluster.open(0),
			await cluster.open(1),
			await cluster.open(2),
		];
		await cluster.run(exporter.query("BEGIN ISOLATION LEVEL REPEATABLE READ"));
		const [[id]] = (await cluster.rows(exporter, "SELECT pg_export_snapshot()")) as [[string]];
		const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${id}'`;
		await cluster.run(importer.query(begin));
		await cluster.run(writer.query("UPDATE t SET v = 5; ALTER TABLE t ADD COLUMN w int"));
		for (const one of [importer, exporter]) {
			t.deepEqual(await cluster.rows(one, "SELECT * FROM t WHERE id = 1"), [["1", "0"]]);
		}
		exporter.close();
		await cluster.cluster.world.runFor(500);
		await cluster.run(importer.query("COMMIT"));
		const error = await t.throwsAsync(cluster.run(importer.query(begin)), { instanceOf: SqlError });
		t.is(error?.code, "22023");
	},
);
