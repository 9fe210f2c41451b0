/** Three regions: where replicas go by themselves, where users want them, and what becomes of that when a region dies. */
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection } from "./sql-connection.ts";

const limits = { schedulerMs: 200, deadAfterMs: 4_000 };
const regions = ["eu", "eu", "us", "us", "as", "as"];
const limitMs = 120_000;

interface Place {
	readonly table: string | undefined;
	/** Of its replicas, in order. */
	readonly regions: readonly string[];
	readonly leaseholder: string | undefined;
	readonly obstacle: string | undefined;
}

class Lab {
	readonly cluster: SimCluster;
	readonly #t: ExecutionContext;
	#sql: SqlConnection | undefined;

	constructor(t: ExecutionContext, seed: number) {
		const localities = regions.map((region, i) => `region=${region},zone=${i % 2 ? "b" : "a"}`);
		this.cluster = new SimCluster(seed, { nodes: 3, spares: 3, limits, localities });
		this.#t = t;
	}

	async start(): Promise<void> {
		const { cluster } = this;
		await cluster.start();
		const runtime = cluster.world.addMachine(100).boot();
		const { sqlAddress } = cluster.nodes[0]!;
		const never = new Promise<void>(() => {});
		this.#sql = await cluster.run(SqlConnection.open(runtime, sqlAddress, never), limitMs);
	}

	async rows(text: string): Promise<readonly (readonly (string | null)[])[]> {
		return (await this.cluster.run(this.#sql!.query(text), limitMs)).at(-1)!.rows;
	}

	async #places(): Promise<Place[]> {
		const text = `SELECT table_name, replicas::text, leaseholder, obstacle, learners::text FROM quorate_ranges`;
		const nodes = (await this.#sql!.query("SELECT node_id, locality FROM quorate_nodes")).at(-1)!;
		const regionOf = new Map(
			nodes.rows.map(([id, locality]) => [id!, /region=(\w+)/.exec(locality!)?.[1] ?? "?"]),
		);
		return (await this.#sql!.query(text))
			.at(-1)!
			.rows.map(([table, on, leaseholder, why, more]) => ({
				table: table ?? undefined,
				regions: `${on},${more}`
					.match(/\d+/g)!
					.map((id) => regionOf.get(id)!)
					.sort(),
				leaseholder: leaseholder === null ? undefined : regionOf.get(leaseholder!),
				obstacle: why ?? undefined,
			}));
	}

	/** Until all ranges (of a table) are as they should be. */
	async until(what: string, isRight: (place: Place) => boolean, table?: string): Promise<void> {
		const { cluster } = this;
		const seen = cluster.until(what, limitMs, async () => {
			const places = (await this.#places()).filter((p) => table === undefined || p.table === table);
			return places.length > 0 && places.every(isRight);
		});
		this.#t.true(await cluster.run(seen, limitMs + 1_000), what);
	}
}

const areOn = (...wanted: readonly string[]) => {
	const text = [...wanted].sort().join();
	return ({ regions: on }: Place): boolean => on.join() === text;
};
const everywhere = areOn("as", "eu", "us");

test.serial("replicas are spread over regions, also when one of them has died", async (t) => {
	const lab = new Lab(t, 1);
	const { cluster } = lab;
	await lab.start();
	await lab.rows("CREATE TABLE a (id int PRIMARY KEY, v text)");
	await lab.rows("INSERT INTO a SELECT x, 'x' FROM generate_series(1, 50) x");
	await lab.rows("ALTER TABLE a SPLIT AT VALUES (10), (20), (30), (40)");
	await lab.until("each region has one replica of each range", everywhere);
	const members = () =>
		lab.rows(
			"SELECT min(n), max(n), sum(n) FROM (SELECT count(*) AS n FROM quorate_nodes WHERE placement_member GROUP BY substr(locality, 8, 2)) AS s",
		);
	const spread = cluster.until("the control plane, too", limitMs, async () => {
		const { nodes } = await cluster.serving()[0]!.placement.overview();
		const on = nodes.filter((n) => n.isMember).map((n) => n.locality.slice(7, 9));
		return on.length === 5 && new Set(on).size === 3;
	});
	t.true(await cluster.run(spread, limitMs + 1_000));
	t.deepEqual(await members(), [["1", "2", "5"]]);
	for (const node of cluster.nodes.slice(4)) node.crash("power");
	await cluster.world.runFor(8_000);
	t.deepEqual(await lab.rows("SELECT count(*) FROM a"), [["50"]]);
	await lab.until("the other regions have all", ({ regions: on }) => {
		return on.length === 3 && new Set(on).size === 2 && !on.includes("as");
	});
	for (const node of cluster.nodes.slice(4)) node.start();
	await cluster.run(cluster.heal(), limitMs);
	await lab.until("each region has one replica again", everywhere);
	t.deepEqual(cluster.problems, []);
});

test.serial("tables are where users want them, and their leases", async (t) => {
	const lab = new Lab(t, 2);
	const { cluster } = lab;
	await lab.start();
	await lab.rows("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
	await lab.rows("CREATE TABLE b (id int PRIMARY KEY, k int); INSERT INTO b VALUES (1, 2)");
	await lab.until("spread", everywhere);
	// One range holds both tables: it is split where b begins and ends.
	await lab.rows("ALTER TABLE b CONFIGURE constraints = '-region=as,-region=eu', replicas = 1");
	await lab.until("b has moved", areOn("us"), "b");
	await lab.until("nothing else has", (p) => p.table === "b" || everywhere(p));
	const own = await lab.rows("SELECT count(*) FROM quorate_ranges WHERE table_name = 'b'");
	t.deepEqual(own, [["1"]]);
	await lab.rows("CREATE INDEX ON b (k)");
	await lab.rows("ALTER TABLE b CONFIGURE replicas = 5, constraints = DEFAULT");
	await lab.until("five", ({ regions: on }) => on.length === 5 && new Set(on).size === 3, "b");
	const indexed = await lab.rows("SELECT count(*) FROM quorate_ranges WHERE table_name = 'b'");
	t.true(Number(indexed[0]![0]) >= 1);
	await lab.rows("ALTER TABLE b CONFIGURE replicas = 1");
	await lab.until("one", ({ regions: on }) => on.length === 1, "b");
	await lab.rows("ALTER TABLE b CONFIGURE replicas = 3, lease_preference = 'region=as'");
	const inAs = (place: Place): boolean => everywhere(place) && place.leaseholder === "as";
	await lab.until("three, and the lease", inAs, "b");
	await lab.rows("ALTER DATABASE quorate CONFIGURE lease_preference = 'region=us'");
	await lab.until("the others' leases", (p) => p.table === "b" || p.leaseholder === "us");
	await lab.until("but not its own", inAs, "b");
	await lab.rows("ALTER TABLE b CONFIGURE constraints = '+region=nowhere'");
	const isSaid = ({ obstacle }: Place): boolean =>
		obstacle?.includes("where +region=nowhere holds") === true;
	await lab.until("said", isSaid, "b");
	t.deepEqual(await lab.rows("SELECT * FROM b"), [["1", "2"]]);
	await lab.rows("ALTER TABLE b CONFIGURE DEFAULT; ALTER DATABASE quorate CONFIGURE DEFAULT");
	await lab.until("as before", (p) => everywhere(p) && p.obstacle === undefined);
	const [[splits] = []] = await lab.rows(
		"SELECT count(*) FROM quorate_events WHERE kind = 'split'",
	);
	t.true(Number(splits) >= 2);
	t.deepEqual(cluster.problems, []);
});
