/** Transaction blocks that update several rows that everybody updates: each builds on what is pending, and none on what never was. */
import type { MicroOp, Transaction } from "@quorate/checker/history";
import { checkListAppend } from "@quorate/checker/list-append";
import test, { type ExecutionContext } from "ava";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { rangeStarts } from "./run-sql.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const clients = 9;
const oneWayMs = 50;

interface Hot {
	readonly cluster: SimCluster;
	open(node: SimNode): Promise<SqlConnection>;
}

async function startHot(seed: number, setUp: readonly string[]): Promise<Hot> {
	const cluster = new SimCluster(seed);
	await cluster.start();
	const runtime = cluster.world.addMachine(100).boot();
	const open = (node: SimNode) => SqlConnection.open(runtime, node.sqlAddress, node.ended);
	const prepare = async () => {
		const connection = await open(cluster.nodes[0]!);
		for (const text of setUp) await connection.query(text);
	};
	await cluster.run(prepare(), 60_000);
	return { cluster, open };
}

// ---- how long the lock is held

const tpcb: readonly string[] = [
	"CREATE TABLE accounts (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE tellers (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE branches (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE history (teller int, delta int)",
	`INSERT INTO accounts SELECT g, 0 FROM generate_series(1, ${clients}) g`,
	"INSERT INTO tellers VALUES (1, 0), (2, 0)",
	"INSERT INTO branches VALUES (1, 0)",
];

const blockOf = (client: number, isolation: string): readonly string[] => [
	`BEGIN ISOLATION LEVEL ${isolation}`,
	`UPDATE accounts SET n = n + 1 WHERE id = ${client + 1}`,
	`SELECT n FROM accounts WHERE id = ${client + 1}`,
	`UPDATE tellers SET n = n + 1 WHERE id = ${1 + (client % 2)}`,
	"UPDATE branches SET n = n + 1 WHERE id = 1",
	`INSERT INTO history VALUES (${1 + (client % 2)}, 1)`,
	"COMMIT",
];

interface Far {
	readonly cluster: SimCluster;
	readonly connections: readonly SqlConnection[];
}

/** All clients are at the node with the leases, and the others are far from it. */
async function startFar(count: number, setUp: readonly string[]): Promise<Far> {
	const { cluster, open } = await startHot(31, setUp);
	const [first] = cluster.nodes;
	const lead = async () => {
		for (const start of await rangeStarts(cluster)) {
			await cluster.administer("lease move", (n) => n.coordinator.moveLease(start, first!.nodeId));
		}
		return Promise.all(Array.from({ length: count }, () => open(first!)));
	};
	const connections = await cluster.run(lead(), 60_000);
	cluster.moveApart(oneWayMs);
	return { cluster, connections };
}

/** Rounds between nodes until each client has done two blocks. */
async function roundsOf(t: ExecutionContext, isolation: string): Promise<number> {
	const { cluster, connections } = await startFar(clients, tpcb);
	const work = async (connection: SqlConnection, i: number) => {
		for (let n = 0; n < 2; n++) {
			for (const text of blockOf(i, isolation)) await connection.query(text);
		}
	};
	const beganMs = cluster.world.nowMs;
	await cluster.run(Promise.all(connections.map(work)), 120_000);
	const rounds = (cluster.world.nowMs - beganMs) / (2 * oneWayMs);
	const sums = `SELECT (SELECT sum(n) FROM accounts), (SELECT sum(n) FROM tellers),
		(SELECT sum(n) FROM branches), (SELECT sum(delta) FROM history)`;
	const [result] = await cluster.run(connections[0]!.query(sums), 60_000);
	t.deepEqual(result?.rows, [Array.from({ length: 4 }, () => String(2 * clients))]);
	t.deepEqual(cluster.problems, []);
	t.log(`${rounds.toFixed(1)} rounds for ${2 * clients} blocks`);
	return rounds;
}

for (const isolation of ["SERIALIZABLE", "READ COMMITTED"]) {
	test.serial(
		`a hot row is not locked until its transaction is durable: ${isolation}`,
		async (t) => {
			t.true((await roundsOf(t, isolation)) < clients);
		},
	);
}

test.serial(
	"keys that were not read are not taken for free because what has taken them is built on",
	async (t) => {
		const { cluster, connections } = await startFar(3, [
			"CREATE TABLE hot (id int PRIMARY KEY, n int)",
			"INSERT INTO hot VALUES (1, 0)",
			"CREATE TABLE rows (id int PRIMARY KEY)",
		]);
		// So many are not read one by one before they are written.
		const values = Array.from({ length: 1_000 }, (_, i) => `(${i})`);
		const codes: string[] = [];
		const work = async (connection: SqlConnection) => {
			await connection.query("BEGIN");
			await connection.query("UPDATE hot SET n = n + 1 WHERE id = 1");
			await connection.query(`INSERT INTO rows VALUES ${values.join(", ")}`);
			await connection.query("COMMIT").catch((error: SqlError) => codes.push(error.code));
		};
		await cluster.run(Promise.all(connections.map(work)), 60_000);
		t.deepEqual(codes, ["23505", "23505"]);
		const [result] = await cluster.run(connections[0]!.query("SELECT n FROM hot"), 60_000);
		t.deepEqual(result?.rows, [["1"]]);
		t.deepEqual(cluster.problems, []);
	},
);

test.serial(
	"a block is shown what it builds on once that is durable; a wait that fails is made up for by COMMIT",
	async (t) => {
		const { cluster, connections } = await startFar(2, [
			"CREATE TABLE hot (id int PRIMARY KEY, n int)",
			"INSERT INTO hot VALUES (1, 0), (2, 0)",
		]);
		const [first, ...others] = cluster.nodes.map((node) => node.machine);
		const [one, two] = connections as [SqlConnection, SqlConnection];
		const { world } = cluster;
		const increment = (id: number) => `UPDATE hot SET n = n + 1 WHERE id = ${id}`;
		const work = async () => {
			for (const text of ["BEGIN", increment(1)]) await one.query(text);
			world.network.partition([first!], others);
			const committed = one.query("COMMIT");
			await world.sleep(5);
			for (const text of ["BEGIN", increment(2), increment(1), "SAVEPOINT s"])
				await two.query(text);
			await two.query("SET statement_timeout = 200");
			const error = await two
				.query("SELECT n FROM hot WHERE id = 1")
				.catch((e: SqlError) => e.code);
			await two.query("ROLLBACK TO s");
			world.network.heal();
			await two.query("COMMIT");
			await committed;
			const [result] = await two.query("SELECT n FROM hot ORDER BY id");
			return [error, result!.rows];
		};
		t.deepEqual(await cluster.run(work(), 60_000), ["57014", [["2"], ["1"]]]);
		t.deepEqual(cluster.problems, []);
	},
);

// ---- what is read, and what is lost

const lists = [0, 1, 2, 3];
const listTable: readonly string[] = [
	"CREATE TABLE lists (k int PRIMARY KEY, v text NOT NULL)",
	`INSERT INTO lists VALUES ${lists.map((k) => `(${k}, '')`).join(", ")}`,
];

const listOf = (text: string | null | undefined): number[] =>
	(text ?? "").split(" ").filter(Boolean).map(Number);

class ListBlocks {
	readonly history: Transaction[] = [];
	/** Everything that a client was shown, whatever became of its transaction. */
	readonly #shown: { readonly by: number; readonly list: readonly number[] }[] = [];
	/** Of each value, who has appended it. */
	readonly #owners = new Map<number, number>();
	readonly #hot: Hot;
	#clock = 0;
	#value = 0;
	#transactions = 0;

	constructor(hot: Hot) {
		this.#hot = hot;
	}

	async run(client: number, times: number): Promise<void> {
		const { cluster, open } = this.#hot;
		const random = cluster.world.random(`client ${client}`);
		let connection: SqlConnection | undefined;
		for (let n = 0; n < times; n++) {
			while (connection?.isOpen !== true) {
				connection = await open(random.pick(cluster.nodes)).catch(() => undefined);
				if (connection === undefined) await cluster.world.sleep(50);
			}
			await this.#block(client, connection, random);
		}
		connection?.close();
	}

	async #block(client: number, connection: SqlConnection, random: SeededRandom): Promise<void> {
		const id = this.#transactions++;
		const invoked = this.#clock++;
		const ops: MicroOp[] = [];
		const keys = lists.filter(() => random.chance(0.6));
		let status: Transaction["status"] = "fail";
		let isCommitting = false;
		try {
			await connection.query("BEGIN");
			for (const k of keys) await this.#step(id, connection, random, k, ops);
			isCommitting = true;
			await connection.query("COMMIT");
			status = "ok";
		} catch (error) {
			if (!(error instanceof SqlError || error instanceof ConnectionLostError)) throw error;
			const isLost = error instanceof ConnectionLostError || error.isFatal;
			const isUnknown = isLost || error.code === "40003";
			if (isCommitting && isUnknown) status = "info";
			if (connection.isOpen) await connection.query("ROLLBACK").catch(() => connection.close());
		}
		const completed = status === "info" ? Number.POSITIVE_INFINITY : this.#clock++;
		const known =
			status === "ok" ? ops : ops.map((op): MicroOp => (op[0] === "r" ? ["r", op[1], null] : op));
		this.history.push({ id, process: client, status, ops: known, invoked, completed });
	}

	/** One of: append, read, append and read it, or try something that is taken back, whatever came of it. */
	async #step(
		id: number,
		connection: SqlConnection,
		random: SeededRandom,
		k: number,
		ops: MicroOp[],
	): Promise<void> {
		const append = () => {
			const value = ++this.#value;
			this.#owners.set(value, id);
			const done = connection.query(`UPDATE lists SET v = v || '${value} ' WHERE k = ${k}`);
			return [value, done] as const;
		};
		const read = async (): Promise<number[]> => {
			const [result] = await connection.query(`SELECT v FROM lists WHERE k = ${k}`);
			const list = listOf(result?.rows[0]?.[0]);
			this.#shown.push({ by: id, list });
			return list;
		};
		const kind = random.float();
		if (kind < 0.15) {
			await connection.query("SAVEPOINT s");
			try {
				await append()[1];
				await read();
			} catch (error) {
				if (!(error instanceof SqlError) || error.isFatal) throw error;
			}
			await connection.query("ROLLBACK TO s");
			return;
		}
		// What was read of the row itself must not be changed by others meanwhile.
		if (kind < 0.25) ops.push(["r", k, await read()]);
		if (kind < 0.85) {
			const [value, done] = append();
			ops.push(["append", k, value]);
			await done;
		}
		if (kind > 0.75) ops.push(["r", k, await read()]);
	}

	async readAll(): Promise<void> {
		const { cluster, open } = this.#hot;
		const connection = await open(cluster.nodes[1]!);
		const ops: MicroOp[] = [];
		const invoked = this.#clock++;
		const [result] = await connection.query("SELECT k, v FROM lists");
		for (const [k, v] of result!.rows) ops.push(["r", Number(k), listOf(v)]);
		const id = this.#transactions++;
		this.history.push({ id, process: 99, status: "ok", ops, invoked, completed: this.#clock++ });
	}

	/** What anybody was shown of others is there at the end, whatever became of who was shown it. */
	dirtyReads(): string[] {
		const { ops } = this.history.at(-1)!;
		const there = new Set(ops.flatMap((op) => (op[0] === "r" ? (op[2] ?? []) : [])));
		return this.#shown.flatMap(({ by, list }) =>
			list
				.filter((value) => !there.has(value) && this.#owners.get(value) !== by)
				.map((value) => `transaction ${by} was shown ${value}, which never was`),
		);
	}
}

test.serial(
	"what is built on in blocks stays strictly serializable while leases move and their holders die",
	async (t) => {
		for (let seed = 41; seed <= 42; seed++) {
			const split = seed % 2 === 0 ? ["ALTER TABLE lists SPLIT AT VALUES (1)"] : [];
			const hot = await startHot(seed, [...listTable, ...split]);
			const { cluster } = hot;
			const blocks = new ListBlocks(hot);
			const starts = await cluster.run(rangeStarts(cluster), 10_000);
			const start = starts.at(-1)!;
			const faults = async () => {
				for (let i = 0; i < 6; i++) {
					await cluster.world.sleep(30);
					const to = cluster.nodes[i % 3]!;
					const { coordinator } = cluster.nodes[(i + 1) % 3]!.keyValue!;
					await coordinator.moveLease(start, to.nodeId).catch(() => undefined);
				}
				const isHolder = ({ keyValue }: SimNode) =>
					keyValue?.store.statuses().some((r) => r.leaseholder && r.descriptor.start === start);
				const holder = cluster.nodes.find(isHolder) ?? cluster.nodes[2]!;
				holder.crash("process");
				await cluster.world.sleep(1_000);
				holder.start();
			};
			const work = Array.from({ length: clients }, (_, i) => blocks.run(i, 25));
			await cluster.run(Promise.all([...work, faults()]), 400_000);
			await cluster.run(cluster.heal(), 60_000);
			await cluster.run(blocks.readAll(), 60_000);
			const { anomalies, ok } = checkListAppend(blocks.history);
			const failed = blocks.history.filter(({ status }) => status === "fail").length;
			t.log(`seed ${seed}: ${ok} committed, ${failed} failed`);
			t.deepEqual(
				anomalies.map((a) => `${a.kind}: ${a.explanation.join("; ")}`),
				[],
			);
			t.deepEqual(blocks.dirtyReads(), []);
			t.deepEqual(cluster.problems, []);
		}
	},
);
