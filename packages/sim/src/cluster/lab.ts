/** A cluster of three with SQL clients whose errors are noted: what splits and merges must not give them. */
import { type Key, keyMin } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import { dataSpan, userKey } from "@quorate/storage/engine-keys";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";

const never = new Promise<void>(() => {});
const limitMs = 600_000;

/** Of a test. */
interface Assertions {
	deepEqual(actual: unknown, expected: unknown): unknown;
}

export class Lab {
	readonly cluster: SimCluster;
	readonly connections: SqlConnection[] = [];
	readonly codes: string[] = [];

	constructor(seed: number, limits: Limits, spares = 0, mutations: Mutations = {}) {
		this.cluster = new SimCluster(seed, { limits, spares, mutations });
	}

	async start(clients: number, ...setUp: readonly string[]): Promise<void> {
		await this.cluster.start();
		const runtime = this.cluster.world.addMachine(100).boot();
		await this.run(async () => {
			for (let i = 0; i < clients; i++) {
				const { sqlAddress } = this.cluster.nodes[i % 3]!;
				this.connections.push(await SqlConnection.open(runtime, sqlAddress, never));
			}
			for (const text of setUp) await this.connections[0]!.query(text);
		});
	}

	run<T>(task: () => Promise<T>): Promise<T> {
		return this.cluster.run(task(), limitMs);
	}

	async rows(text: string): Promise<readonly (readonly (string | null)[])[]> {
		return (await this.connections[0]!.query(text)).at(-1)!.rows;
	}

	/** Notes what it fails of. */
	async attempt(connection: SqlConnection, texts: readonly string[]): Promise<void> {
		try {
			for (const text of texts) {
				await connection.query(text);
				await this.cluster.world.sleep(this.cluster.world.random("pace").below(20));
			}
		} catch (error) {
			if (!(error instanceof SqlError)) throw error;
			this.codes.push(`${error.code} ${error.message} ${error.detail ?? ""}`);
			await connection.query("ROLLBACK");
		}
	}

	decisions(kind: "hand" | "size" | "load" | "undivided-load"): number {
		return this.cluster.serving().reduce((sum, n) => sum + n.store.splitDecisions[kind], 0);
	}
}

/** Transactions that lock two rows, the lower one first: they wait for each other and never in a circle. */
export function transfers(lab: Lab, rows: number, goesOn: () => boolean): Promise<unknown> {
	const random = lab.cluster.world.random("transfers");
	return Promise.all(
		lab.connections.slice(1).map(async (connection) => {
			while (goesOn()) {
				const a = random.below(rows - 1);
				const b = a + 1 + random.below(rows - 1 - a);
				await lab.attempt(connection, [
					"BEGIN",
					`UPDATE account SET n = n - 1 WHERE id = ${a}`,
					`UPDATE account SET n = n + 1 WHERE id = ${b}`,
					"COMMIT",
				]);
			}
		}),
	);
}

export const accounts = (count: number): readonly string[] => [
	"CREATE TABLE account (id int PRIMARY KEY, n int)",
	`INSERT INTO account SELECT g, 0 FROM generate_series(0, ${count - 1}) g`,
];

export async function checkBalance(t: Assertions, lab: Lab): Promise<void> {
	t.deepEqual(lab.codes, []);
	t.deepEqual(await lab.run(() => lab.rows("SELECT sum(n) FROM account")), [["0"]]);
	t.deepEqual(lab.cluster.problems, []);
}

/** Of the rows of all tables, in order. */
export function rowKeys({ cluster }: Pick<Lab, "cluster">): readonly Key[] {
	const { engine } = cluster.serving()[0]!.store.replicaFor(keyMin)!.context;
	const span = dataSpan({ start: "\x02" as Key, end: "\x03" as Key });
	const limits = { rowsMax: 1e6, bytesMax: 1e9, reverse: false, keyOffset: 0 };
	return engine.scan(span, limits).keys.map(userKey);
}
