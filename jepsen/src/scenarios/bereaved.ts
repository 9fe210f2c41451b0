/**
 * A gateway, the leaseholder of what it writes first, or one that is both, is killed while it commits over two ranges. What it was writing can
 * be read and written through another node within a bound, and both ranges have it or neither.
 */
import type { NodeProcess } from "../harness/node-process.ts";
import { SeededRandom } from "../workload/random.ts";
import { type ScenarioContext, seconds, type Violations } from "./scenario.ts";

/** From the kill until everything can be read and locked through another node. In simulation it is half of that. */
const cleanMsMax = 10_000;
const patienceMs = 60_000;
const ids = [1, 1_000_001] as const;
const forms = ["gateway", "leaseholder", "both"] as const;

export interface BereavedOptions extends ScenarioContext {
	readonly rounds: number;
	readonly seed: number;
}

export async function bereaved(options: BereavedOptions): Promise<Violations> {
	const { cluster, rounds, log } = options;
	const random = new SeededRandom(options.seed);
	const first = await cluster.node(1).connect();
	await first.query("CREATE TABLE bereaved (id int PRIMARY KEY, v int NOT NULL)");
	await first.query(`INSERT INTO bereaved VALUES (${ids[0]}, 0), (${ids[1]}, 0)`);
	await first.query(`ALTER TABLE bereaved SPLIT AT VALUES (${ids[1] - 1})`);
	await first.end();
	const found: string[] = [];
	for (let round = 1; round <= rounds && found.length === 0; round++) {
		const form = forms[round % forms.length]!;
		const { gateway, victim } = await chosen(options, form, random);
		const writing = writeUntilItDies(gateway, round);
		await new Promise((wake) => setTimeout(wake, random.between(0, 300)));
		await victim.kill();
		const killedMs = performance.now();
		const others = cluster.nodes.filter((node) => node !== victim && node !== gateway);
		const values = await readAndLock(others[0]!);
		const tookMs = performance.now() - killedMs;
		log(`${form} ${victim.name} killed; ${values.join(" and ")} after ${seconds(tookMs)}`);
		if (values[0] !== values[1]) found.push(`round ${round}: ${values.join(" and ")}`);
		if (tookMs > cleanMsMax) found.push(`round ${round}, ${form}: ${seconds(tookMs)}`);
		if (gateway !== victim) await gateway.kill();
		await writing;
		await cluster.startAll();
	}
	return found;
}

async function chosen(
	{ cluster }: BereavedOptions,
	form: (typeof forms)[number],
	random: SeededRandom,
): Promise<{ readonly gateway: NodeProcess; readonly victim: NodeProcess }> {
	const client = await cluster.node(1).connect();
	const [ranges] = await client.query("SHOW RANGES FROM TABLE bereaved");
	await client.end();
	const holder = Number(ranges?.rows[0]?.[3]);
	const leaseholder = cluster.node(holder >= 1 && holder <= cluster.nodes.length ? holder : 1);
	const others = cluster.nodes.filter((node) => node !== leaseholder);
	const gateway = form === "both" ? leaseholder : others[random.between(0, others.length - 1)]!;
	return { gateway, victim: form === "gateway" ? gateway : leaseholder };
}

/** One transaction after the other, each of which gives both rows the same value. */
async function writeUntilItDies(gateway: NodeProcess, round: number): Promise<void> {
	try {
		const client = await gateway.connect();
		for (let n = 1; ; n++) {
			const value = 1_000_000 * round + n;
			const update = (id: number) => `UPDATE bereaved SET v = ${value} WHERE id = ${id}`;
			await client
				.query(`BEGIN; ${update(ids[0])}; ${update(ids[1])}; COMMIT`)
				.catch(async (error) => {
					if ((error as { code?: string }).code === undefined) throw error;
					await client.query("ROLLBACK");
				});
		}
	} catch {
		// Its node is gone.
	}
}

async function readAndLock(node: NodeProcess): Promise<readonly (string | null)[]> {
	const giveUpMs = performance.now() + patienceMs;
	const client = await node.connect();
	try {
		for (;;) {
			try {
				await client.query("BEGIN");
				const [result] = await client.query("SELECT v FROM bereaved ORDER BY id FOR UPDATE");
				await client.query("COMMIT");
				return result?.rows.map(([v]) => v ?? null) ?? [];
			} catch (error) {
				// A conflict, or nobody leads yet.
				if (performance.now() > giveUpMs) throw error;
				await client.query("ROLLBACK");
			}
		}
	} finally {
		await client.end();
	}
}
