/** Nodes of two builds in one cluster: a whole upgrade under load, node by node, and what becomes of nodes that do not fit. */
import { activeVersion, ownVersions } from "@quorate/keys/cluster-version";
import { descriptorSpan, roleSpan } from "@quorate/sql/catalog/keys";
import test from "ava";
import { runTransaction } from "./client.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const limits = { schedulerMs: 200, deadAfterMs: 4_000 };
const limitMs = 60_000;
const never = new Promise<void>(() => {});
const old = { oldest: 1, newest: 1 };
const { newest } = ownVersions;
const gated = "ALTER TABLE t CONFIGURE lease_preference = 'zone=a'";

/** What clients may be told by the node that they are connected to when it stops. */
const mayEnd = (error: unknown): boolean =>
	error instanceof ConnectionLostError || (error instanceof SqlError && error.code === "57P01");

/** Writes rows through one node, and connects again when that is gone. */
class Client {
	readonly done: number[] = [];
	/** Errors while its own node was not being restarted, and those that it must never get. */
	readonly errors: string[] = [];
	readonly #cluster: SimCluster;
	readonly #node: SimNode;
	readonly #id: number;
	goesOn = true;
	isRestarting = false;

	constructor(cluster: SimCluster, node: SimNode, id: number) {
		this.#cluster = cluster;
		this.#node = node;
		this.#id = id;
	}

	async run(): Promise<void> {
		const runtime = this.#cluster.world.addMachine(100 + this.#id).boot();
		let sql: SqlConnection | undefined;
		for (let n = 0; this.goesOn; n++) {
			const row = this.#id * 100_000 + n;
			try {
				sql ??= await SqlConnection.open(runtime, this.#node.sqlAddress, never);
				await sql.query(`INSERT INTO t VALUES (${row})`);
				this.done.push(row);
			} catch (error) {
				if (!this.isRestarting || !mayEnd(error)) {
					this.errors.push(`client ${this.#id}: ${String(error)}`);
				}
				sql?.close();
				sql = undefined;
			}
			await this.#cluster.world.sleep(20);
		}
		sql?.close();
	}
}

/** The highest format of a row of the catalog. */
async function highestFormat(cluster: SimCluster, node: SimNode): Promise<number> {
	const kind = { mode: "optimistic", readOnly: true } as const;
	const outcome = await runTransaction(cluster, node, kind, async (t) => [
		...(await t.scan(descriptorSpan)),
		...(await t.scan(roleSpan)),
	]);
	if (outcome.status !== "ok") return Number.NaN;
	const formats = outcome.value.map(
		({ value }) => (JSON.parse(Buffer.from(value).toString("utf8")) as { format: number }).format,
	);
	return Math.max(...formats);
}

const served = (cluster: SimCluster, node: SimNode) =>
	cluster.until("it serves", limitMs, () => node.keyValue !== undefined);

const versionsSeen = (cluster: SimCluster): number[] =>
	cluster.serving().map(({ placement }) => activeVersion(placement.settings().values));

test.serial(
	"a rolling upgrade under load: nobody notices, and then the new version is active",
	async (t) => {
		const cluster = new SimCluster(1, { nodes: 3, limits, versions: old });
		await cluster.start();
		const runtime = cluster.world.addMachine(99).boot();
		const connect = (node: SimNode) => SqlConnection.open(runtime, node.sqlAddress, never);
		const clients = cluster.nodes.flatMap((node, i) =>
			[0, 1].map((n) => new Client(cluster, node, i * 2 + n)),
		);
		const refusals: (string | undefined)[] = [];
		const scenario = async (): Promise<void> => {
			const first = await connect(cluster.nodes[0]!);
			await first.query("CREATE TABLE t (id int PRIMARY KEY)");
			await first.query("ALTER TABLE t SPLIT AT VALUES (100000), (300000)");
			first.close();
			const running = clients.map((client) => client.run());
			for (const [i, node] of cluster.nodes.entries()) {
				await cluster.world.sleep(1_000);
				const sql = await connect(node);
				refusals.push(await sql.query(gated).then(String, (e: SqlError) => e.message));
				t.deepEqual(new Set(versionsSeen(cluster)), new Set([1]));
				t.true((await highestFormat(cluster, node)) <= 3);
				sql.close();
				const own = clients.filter((_, n) => Math.floor(n / 2) === i);
				for (const client of own) client.isRestarting = true;
				await node.stop();
				node.versions = undefined;
				node.start();
				await served(cluster, node);
				await cluster.world.sleep(500);
				for (const client of own) client.isRestarting = false;
			}
			await cluster.until("all know the new version", limitMs, () =>
				versionsSeen(cluster).every((version) => version === newest),
			);
			const sql = await connect(cluster.nodes[1]!);
			t.deepEqual((await sql.query("SHOW cluster_version")).at(-1)!.rows, [[String(newest)]]);
			const told = await sql.query("SELECT DISTINCT versions FROM quorate_nodes");
			t.deepEqual(told.at(-1)!.rows, [[`1 to ${newest}`]]);
			await sql.query(gated);
			t.is(await highestFormat(cluster, cluster.nodes[1]!), 4);
			for (const client of clients) client.goesOn = false;
			await Promise.all(running);
			const rows = (await sql.query("SELECT id FROM t")).at(-1)!.rows.map(([id]) => Number(id));
			const there = new Set(rows);
			t.deepEqual(
				clients.flatMap(({ done }) => done).filter((id) => !there.has(id)),
				[],
			);
		};
		await cluster.run(scenario(), 300_000);
		t.deepEqual(
			refusals,
			Array(3).fill("CONFIGURE needs cluster version 2, and version 1 is active"),
		);
		t.deepEqual(
			clients.flatMap(({ errors }) => errors),
			[],
		);
		t.true(clients.every(({ done }) => done.length > 30));
		t.deepEqual(cluster.problems, []);
	},
);

test.serial("who is too old or too new for the active version does not join it", async (t) => {
	const cluster = new SimCluster(2, { nodes: 3, limits });
	await cluster.start();
	const isActive = () => versionsSeen(cluster).every((version) => version === newest);
	await cluster.run(cluster.until("the newest version", limitMs, isActive), limitMs + 1);
	const node = cluster.nodes[2]!;
	node.mayStop = true;
	const attempts = [
		[
			old,
			`node 3 must not join: its build is too old: .* up to 1, and version ${newest} is active`,
		],
		[
			{ oldest: newest + 1, newest: newest + 2 },
			`node 3 must not join yet: its build is too new: .* from ${newest + 1} on`,
		],
	] as const;
	for (const [versions, refusal] of attempts) {
		await cluster.run(node.stop(), limitMs);
		node.versions = versions;
		node.start();
		await cluster.world.runFor(8_000);
		t.is(node.keyValue, undefined);
		t.regex(node.refusal, new RegExp(refusal));
		if (node.isUp) node.crash("process");
	}
	node.mayStop = false;
	node.versions = undefined;
	node.start();
	t.true(await cluster.run(served(cluster, node), limitMs + 1));
	t.true(isActive());
	t.deepEqual(cluster.problems, []);
});

test.serial("a node that the others went on without stops when it is back", async (t) => {
	const cluster = new SimCluster(3, { nodes: 3, spares: 1, limits });
	const node = cluster.nodes[2]!;
	node.versions = old;
	await cluster.start();
	const active = (version: number) =>
		cluster.serving().every((n) => activeVersion(n.placement.settings().values) === version);
	await cluster.world.runFor(3_000);
	t.true(active(1));
	node.machine.pause(20_000);
	const others = () =>
		cluster.nodes.every((n) => {
			if (n === node) return true;
			const settings = n.keyValue?.placement.settings();
			return settings !== undefined && activeVersion(settings.values) === newest;
		});
	t.true(await cluster.run(cluster.until("the others go on", limitMs, others), limitMs + 1));
	node.mayStop = true;
	await cluster.world.runFor(25_000);
	t.regex(node.refusal, /node 3 must stop: its build is too old/);
	t.deepEqual(cluster.problems, []);
});
