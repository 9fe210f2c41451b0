/**
 * What sessions have besides rows, under faults. Advisory locks as mutexes: clients read a text under a lock in one transaction, think,
 * and overwrite it in another, which only the lock protects. Notifications: each carries the number that its transaction has given out,
 * so those that a session is told must be consecutive.
 */
import type { Runtime } from "@quorate/runtime/runtime";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

const mutexCount = 3;
const silenceMs = 2_000;

export const schema: readonly string[] = [
	"CREATE TABLE guarded (id int PRIMARY KEY, v text NOT NULL)",
	"CREATE TABLE tickets (id int PRIMARY KEY, n int NOT NULL)",
	`INSERT INTO guarded VALUES ${Array.from({ length: mutexCount }, (_, i) => `(${i}, '')`).join()} ON CONFLICT DO NOTHING`,
	"INSERT INTO tickets VALUES (1, 0) ON CONFLICT DO NOTHING",
	"ALTER TABLE guarded SPLIT AT VALUES (1), (2)",
	"ALTER TABLE tickets SPLIT AT VALUES (0)",
];

type Outcome = "ok" | "fail" | "info";

interface Written {
	readonly mutex: number;
	readonly token: string;
	readonly outcome: Outcome;
}

/** What one session was told, from its LISTEN on. */
interface Heard {
	readonly name: string;
	/** The ticket that was the last when it had begun to listen. */
	readonly from: number;
	readonly numbers: number[];
	/** It listened to the end. */
	isWhole: boolean;
}

export class SessionWorkload {
	readonly #cluster: SimCluster;
	readonly #runtime: Runtime;
	readonly #written: Written[] = [];
	readonly #heard: Heard[] = [];
	#tokens = 0;
	/** Critical sections that ended well, tickets that were given out, notifications that were told. */
	readonly counts = { sections: 0, tickets: 0, told: 0, lostLocks: 0 };

	constructor(cluster: SimCluster, runtime: Runtime) {
		this.#cluster = cluster;
		this.#runtime = runtime;
	}

	async #connect(random: SeededRandom): Promise<SqlConnection> {
		const { world, nodes } = this.#cluster;
		const node = random.pick(nodes);
		const gone = node.ended.then(() => world.sleep(silenceMs));
		return SqlConnection.open(this.#runtime, node.sqlAddress, gone);
	}

	/** What failed leaves the connection to itself; the next attempt makes another. */
	async #tolerating(task: () => Promise<void>): Promise<void> {
		try {
			await task();
		} catch (error) {
			if (!(error instanceof SqlError || error instanceof ConnectionLostError)) throw error;
			if (error instanceof SqlError && error.code === "57P01") this.counts.lostLocks++;
			await this.#cluster.world.sleep(100);
		}
	}

	// ---- mutexes

	async mutexClient(random: SeededRandom, goesOn: () => boolean): Promise<void> {
		while (goesOn()) {
			await this.#tolerating(async () => {
				const connection = await this.#connect(random);
				try {
					// A client is satisfied with a node for a while.
					while (goesOn() && !random.chance(0.1)) {
						await this.#section(connection, random);
						await this.#cluster.world.sleep(random.exponential(60));
					}
				} finally {
					connection.close();
				}
			});
		}
	}

	async #section(connection: SqlConnection, random: SeededRandom): Promise<void> {
		const mutex = random.below(mutexCount);
		const { world } = this.#cluster;
		if (random.chance(0.3)) {
			const [got] = await connection.query(`SELECT pg_try_advisory_lock(${mutex})`);
			if (got?.rows[0]?.[0] !== "t") return;
		} else {
			await connection.query(`SELECT pg_advisory_lock(${mutex})`);
		}
		const [read] = await connection.query(`SELECT v FROM guarded WHERE id = ${mutex}`);
		const before = read!.rows[0]![0]!;
		await world.sleep(random.chance(0.3) ? random.between(0, 2_000) : random.exponential(40));
		const token = `t${++this.#tokens}`;
		await this.#overwrite(connection, mutex, before, token);
		await connection.query(`SELECT pg_advisory_unlock(${mutex})`);
	}

	async #overwrite(
		connection: SqlConnection,
		mutex: number,
		before: string,
		token: string,
	): Promise<void> {
		let outcome: Outcome = "info";
		try {
			await connection.query(`UPDATE guarded SET v = '${before}${token} ' WHERE id = ${mutex}`);
			outcome = "ok";
			this.counts.sections++;
		} catch (error) {
			if (error instanceof SqlError && error.code !== "40003") outcome = "fail";
			throw error;
		} finally {
			this.#written.push({ mutex, token, outcome });
		}
	}

	// ---- notifications

	async sender(random: SeededRandom, goesOn: () => boolean): Promise<void> {
		while (goesOn()) {
			await this.#tolerating(async () => {
				const connection = await this.#connect(random);
				try {
					while (goesOn() && !random.chance(0.1)) {
						await this.#send(connection, random);
						await this.#cluster.world.sleep(random.exponential(80));
					}
				} finally {
					connection.close();
				}
			});
		}
	}

	async #send(connection: SqlConnection, random: SeededRandom): Promise<void> {
		await connection.query("BEGIN");
		const [ticket] = await connection.query(
			"UPDATE tickets SET n = n + 1 WHERE id = 1 RETURNING n",
		);
		const n = ticket!.rows[0]![0]!;
		await connection.query(`NOTIFY tickets, '${n}'`);
		if (random.chance(0.15)) {
			await connection.query("ROLLBACK");
			return;
		}
		await connection.query("COMMIT");
		this.counts.tickets++;
	}

	async listener(name: string, random: SeededRandom, goesOn: () => boolean): Promise<void> {
		for (let session = 0; goesOn(); session++) {
			await this.#tolerating(() => this.#listen(`${name}.${session}`, random, goesOn));
		}
	}

	async #listen(name: string, random: SeededRandom, goesOn: () => boolean): Promise<void> {
		const connection = await this.#connect(random);
		const numbers: number[] = [];
		connection.onNotification = (_channel, payload) => {
			numbers.push(Number(payload));
			this.counts.told++;
		};
		try {
			await connection.query("LISTEN tickets");
			const [row] = await connection.query("SELECT n FROM tickets WHERE id = 1");
			const heard: Heard = { name, from: Number(row!.rows[0]![0]), numbers, isWhole: false };
			this.#heard.push(heard);
			while (goesOn() && connection.isOpen) {
				await this.#cluster.world.sleep(random.exponential(300));
				// What is told in a transaction waits for its end.
				if (random.chance(0.3)) {
					await connection.query("BEGIN");
					await this.#cluster.world.sleep(random.exponential(200));
					await connection.query("COMMIT");
				}
			}
			heard.isWhole = await this.#hearsTheLast(connection, heard);
		} finally {
			connection.close();
		}
	}

	/** Once no one sends any more, everything must come. */
	async #hearsTheLast(connection: SqlConnection, { from, numbers }: Heard): Promise<boolean> {
		if (!connection.isOpen) return false;
		await this.#quiet;
		const [row] = await connection.query("SELECT n FROM tickets WHERE id = 1");
		const last = Number(row!.rows[0]![0]);
		for (let ms = 0; connection.isOpen && (numbers.at(-1) ?? from) < last; ms += 100) {
			if (ms > 60_000) {
				this.#cluster.problems.push(`a session waits for notification ${last} in vain`);
				return false;
			}
			await this.#cluster.world.sleep(100);
		}
		return connection.isOpen;
	}

	#settle: () => void = () => {};
	readonly #quiet = new Promise<void>((resolve) => {
		this.#settle = resolve;
	});

	/** Faults have ended, and nobody sends any more. */
	settled(): void {
		this.#settle();
	}

	// ---- at the end

	conclude(guarded: readonly (readonly (string | null)[])[], lastTicket: number): void {
		const { problems } = this.#cluster;
		for (const [id, v] of guarded) {
			const tokens = new Set((v ?? "").split(" ").filter(Boolean));
			for (const { mutex, token, outcome } of this.#written) {
				if (mutex !== Number(id)) continue;
				if (outcome === "ok" && !tokens.has(token)) {
					problems.push(`mutex ${id}: what ${token} wrote under the lock was overwritten`);
				}
				if (outcome === "fail" && tokens.has(token)) {
					problems.push(`mutex ${id}: ${token} failed and is there`);
				}
			}
		}
		for (const heard of this.#heard) this.#checkHeard(heard, lastTicket);
	}

	#checkHeard({ name, from, numbers, isWhole }: Heard, lastTicket: number): void {
		const { problems } = this.#cluster;
		for (const [i, n] of numbers.entries()) {
			const before = numbers[i - 1];
			if (before !== undefined && n !== before + 1) {
				problems.push(`${name} was told ${n} after ${before}`);
			}
		}
		const first = numbers[0];
		if (first !== undefined && first > from + 1) {
			problems.push(`${name} listened when ${from} was the last, and was told ${first} first`);
		}
		if (isWhole && lastTicket > from && numbers.at(-1) !== lastTicket) {
			problems.push(`${name} was told ${numbers.at(-1)} last, of ${lastTicket}`);
		}
	}
}
