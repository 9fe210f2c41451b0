/**
 * Clients to whom the restart of a node, the move of a lease, a split or a merge must be nothing: they lock what they change, in one order,
 * so no two of them have a conflict. Each is connected to one node, and again when that is back.
 */
import type { Runtime } from "@quorate/runtime/runtime";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const accounts = 60;
const tellers = 12;
const branches = 3;

export const schema: readonly string[] = [
	"CREATE TABLE accounts (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE tellers (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE branches (id int PRIMARY KEY, n int NOT NULL)",
	"CREATE TABLE history (id int, delta int)",
	"CREATE TABLE ids (id int PRIMARY KEY)",
	`INSERT INTO accounts SELECT g, 0 FROM generate_series(0, ${accounts - 1}) g`,
	`INSERT INTO tellers SELECT g, 0 FROM generate_series(0, ${tellers - 1}) g`,
	`INSERT INTO branches SELECT g, 0 FROM generate_series(0, ${branches - 1}) g`,
	"ALTER TABLE accounts SPLIT AT VALUES (10), (20), (30), (40), (50)",
	"ALTER TABLE tellers SPLIT AT VALUES (0)",
	"ALTER TABLE branches SPLIT AT VALUES (0)",
];

const patienceMs = 60_000;
const reconnectMs = 50;
const idsEach = 100_000;

type Outcome = "ok" | "failed" | "unknown";

export class RestartClients {
	/** Nodes that are being stopped, are down, or have just come back. */
	readonly restarting = new Set<SimNode>();
	/** What was said to clients, with how often. */
	readonly outcomes = new Map<string, number>();
	readonly #cluster: SimCluster;
	readonly #runtime: Runtime;
	/** What each transaction that leaves a row has come to. */
	readonly #ids = new Map<number, Outcome>();
	committed = 0;

	constructor(cluster: SimCluster, runtime: Runtime) {
		this.#cluster = cluster;
		this.#runtime = runtime;
	}

	async run(number: number, node: SimNode, goesOn: () => boolean): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(`client ${number}`);
		let connection: SqlConnection | undefined;
		for (let count = 0; goesOn(); count++) {
			connection ??= await this.connect(node);
			if (connection === undefined) {
				await world.sleep(reconnectMs);
				continue;
			}
			await this.#attempt(connection, node, random, number * idsEach + count);
			if (!connection.isOpen) connection = undefined;
		}
		connection?.close();
	}

	connect(node: SimNode): Promise<SqlConnection | undefined> {
		const gone = node.ended;
		return SqlConnection.open(this.#runtime, node.sqlAddress, gone).catch(() => undefined);
	}

	async #attempt(
		connection: SqlConnection,
		node: SimNode,
		random: SeededRandom,
		id: number,
	): Promise<void> {
		const { world, problems } = this.#cluster;
		const late = world.schedule(patienceMs, () => {
			problems.push(`a transaction on ${node} got no answer within ${patienceMs} virtual ms`);
		});
		const kind = random.float();
		const texts = kind < 0.6 ? tpcb(random, id) : kind < 0.8 ? transfer(random) : increment(random);
		const leavesId = kind < 0.6;
		if (leavesId) this.#ids.set(id, "unknown");
		let text = "";
		try {
			for (text of texts) {
				await connection.query(text);
				await world.sleep(random.exponential(random.chance(0.05) ? 300 : 4));
			}
			this.committed++;
			if (leavesId) this.#ids.set(id, "ok");
			this.#note("ok");
		} catch (error) {
			const isLost = error instanceof ConnectionLostError;
			if (!isLost && !(error instanceof SqlError)) throw error;
			const isUnknown = text === "COMMIT" && (isLost || error.isFatal || error.code === "40003");
			if (leavesId && !isUnknown) this.#ids.set(id, "failed");
			this.#told(node, text, error);
			if (connection.isOpen) await connection.query("ROLLBACK").catch(() => undefined);
		} finally {
			late.cancel();
		}
	}

	#told(node: SimNode, text: string, error: SqlError | ConnectionLostError): void {
		const isLost = error instanceof ConnectionLostError;
		const code = isLost ? "lost" : error.code;
		this.#note(code);
		if ((isLost || code === "57P01") && this.restarting.has(node)) return;
		const detail = isLost ? "" : (error.detail ?? "");
		this.#cluster.problems.push(`${node}: ${text}: ${code} ${error.message}. ${detail}`);
	}

	#note(what: string): void {
		this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + 1);
	}

	/** Once nobody changes anything any more. */
	async check(connection: SqlConnection): Promise<void> {
		const { problems } = this.#cluster;
		const numbers = async (text: string): Promise<number[]> =>
			(await connection.query(text)).at(-1)!.rows.map(([n]) => Number(n));
		const sums = ["n FROM accounts", "n FROM tellers", "n FROM branches", "delta FROM history"];
		const totals = new Set<number>();
		for (const sum of sums) {
			const [column, ...rest] = sum.split(" ");
			const [total] = await numbers(`SELECT coalesce(sum(${column}), 0) ${rest.join(" ")}`);
			totals.add(total!);
		}
		if (totals.size > 1) problems.push(`sums differ: ${[...totals].join(", ")}`);
		const present = new Set(await numbers("SELECT id FROM ids"));
		const history = await numbers("SELECT id FROM history");
		if (history.length !== present.size) {
			problems.push(`${history.length} rows of history, and ${present.size} ids`);
		}
		for (const [id, outcome] of this.#ids) {
			if (outcome === "ok" && !present.has(id)) problems.push(`transaction ${id} is lost`);
			if (outcome === "failed" && present.has(id)) problems.push(`transaction ${id} has happened`);
		}
	}
}

/** Some of them tell how they isolate: it makes no difference. */
const begin = (random: SeededRandom): string =>
	random.pick(["BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL READ COMMITTED"]);

function tpcb(random: SeededRandom, id: number): readonly string[] {
	const [account, teller] = [random.below(accounts), random.below(tellers)];
	const delta = random.below(1_000) - 500;
	return [
		begin(random),
		`UPDATE accounts SET n = n + ${delta} WHERE id = ${account}`,
		`SELECT n FROM accounts WHERE id = ${account}`,
		`UPDATE tellers SET n = n + ${delta} WHERE id = ${teller}`,
		`UPDATE branches SET n = n + ${delta} WHERE id = ${random.below(branches)}`,
		`INSERT INTO history VALUES (${id}, ${delta})`,
		`INSERT INTO ids VALUES (${id})`,
		"COMMIT",
	];
}

/** Between two accounts, the lower one first. */
function transfer(random: SeededRandom): readonly string[] {
	const a = random.below(accounts - 1);
	const b = a + 1 + random.below(accounts - 1 - a);
	return [
		begin(random),
		`SELECT n FROM accounts WHERE id = ${a} FOR UPDATE`,
		`UPDATE accounts SET n = n + 1 WHERE id = ${b}`,
		`UPDATE accounts SET n = n - 1 WHERE id = ${a}`,
		"COMMIT",
	];
}

/** By itself: two of them, which leave the sum as it is. */
function increment(random: SeededRandom): readonly string[] {
	const id = random.below(branches);
	return [
		`UPDATE branches SET n = n WHERE id = ${id}`,
		`UPDATE branches SET n = n WHERE id = ${id}`,
	];
}
