/** A client that runs transactions on whatever node it can reach, one after the other. */
import type { Runtime } from "@quorate/runtime/runtime";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { ConnectionLostError, SqlConnection, SqlError } from "./sql-connection.ts";

export type SqlOutcome<T> =
	| { readonly status: "ok"; readonly value: T }
	/** Certainly without effect. */
	| { readonly status: "fail"; readonly code: string }
	/** Not known. */
	| { readonly status: "info"; readonly code: string };

export type Rows = readonly (readonly (string | null)[])[];

/** What a transaction may do: one statement, its rows. */
export type Execute = (statement: string) => Promise<Rows>;

const silenceMs = 2_000;
/** Virtual time after which an answer that has not come from a living node counts as a bug. */
const patienceMs = 120_000;

export class SqlSession {
	readonly #cluster: SimCluster;
	readonly #runtime: Runtime;
	readonly #random: SeededRandom;
	#connection: SqlConnection | undefined;

	constructor(cluster: SimCluster, runtime: Runtime, random: SeededRandom) {
		this.#cluster = cluster;
		this.#runtime = runtime;
		this.#random = random;
	}

	/** Statements outside of a transaction block, again until they work. For what may be done twice. */
	async insist(...statements: readonly string[]): Promise<Rows> {
		let rows: Rows = [];
		for (const statement of statements) {
			for (;;) {
				try {
					rows = (await (await this.#connected()).query(statement)).at(-1)?.rows ?? [];
					break;
				} catch (error) {
					if (!(error instanceof SqlError || error instanceof ConnectionLostError)) throw error;
					// Done by the attempt before, whose answer was lost.
					if (error instanceof SqlError && error.code === "42P07") break;
					this.#cluster.event(`${statement}: ${error.message}`);
					await this.#cluster.world.sleep(200);
				}
			}
		}
		return rows;
	}

	/** BEGIN, what `body` does, COMMIT. */
	async transaction<T>(body: (execute: Execute) => Promise<T>): Promise<SqlOutcome<T>> {
		const late = this.#cluster.world.schedule(patienceMs, () => {
			this.#cluster.problems.push(`a transaction got no answer within ${patienceMs} virtual ms`);
		});
		try {
			return await this.#attempt(body);
		} finally {
			late.cancel();
		}
	}

	async #attempt<T>(body: (execute: Execute) => Promise<T>): Promise<SqlOutcome<T>> {
		let committing = false;
		try {
			const connection = await this.#connected();
			const execute: Execute = async (statement) =>
				(await connection.query(statement)).at(-1)?.rows ?? [];
			await execute("BEGIN");
			const value = await body(execute);
			committing = true;
			const [end] = await connection.query("COMMIT");
			return end?.tag === "COMMIT" ? { status: "ok", value } : { status: "fail", code: "ROLLBACK" };
		} catch (error) {
			if (error instanceof ConnectionLostError) {
				return { status: committing ? "info" : "fail", code: "connection lost" };
			}
			if (!(error instanceof SqlError)) throw error;
			if (committing && (error.code === "40003" || error.isFatal)) {
				return { status: "info", code: error.code };
			}
			if (!committing && !error.isFatal) await this.#rollBack();
			return { status: "fail", code: error.code };
		}
	}

	close(): void {
		this.#connection?.close();
	}

	async #rollBack(): Promise<void> {
		try {
			await this.#connection?.query("ROLLBACK");
		} catch {
			this.#connection?.close();
		}
	}

	async #connected(): Promise<SqlConnection> {
		if (this.#connection?.isOpen !== true || this.#random.chance(0.03)) {
			this.#connection?.close();
			this.#connection = undefined;
			const node = this.#random.pick(this.#cluster.nodes);
			// A machine that lost its power says nothing: a client that only listens would wait for ever.
			const gone = node.ended.then(() => this.#cluster.world.sleep(silenceMs));
			this.#connection = await SqlConnection.open(this.#runtime, node.sqlAddress, gone);
			if (this.#random.chance(0.5)) {
				await this.#connection.query("SET transaction_mode = optimistic");
			}
		}
		return this.#connection;
	}
}
