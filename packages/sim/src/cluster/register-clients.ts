/**
 * Registers: transactions read and write them blindly, in turn with compare-and-set and deletion. Who commits is told at which
 * timestamp, and by these the versions are ordered: the database's word is taken, and checked against all that was read.
 */
import type { RegisterOp, RegisterTransaction } from "@quorate/checker/registers";
import { type Key, key } from "@quorate/keys/key";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { type ClientTransaction, pickGateway, runTransaction } from "./client.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

const prefix = "r";
const registerKey = (n: number): Key => key(prefix + String(n).padStart(2, "0"));

type Step =
	| { readonly kind: "read"; readonly key: Key }
	| { readonly kind: "write"; readonly key: Key; readonly value: number | null }
	/** Writes only where it reads that something is there. */
	| { readonly kind: "replace"; readonly key: Key; readonly value: number };

export class RegisterClients {
	readonly history: RegisterTransaction[] = [];
	readonly keys: readonly Key[];
	readonly #cluster: SimCluster;
	#clock = 0;
	#value = 0;
	#transactions = 0;

	constructor(cluster: SimCluster, count: number) {
		this.#cluster = cluster;
		this.keys = Array.from({ length: count }, (_, n) => registerKey(n));
	}

	async run(id: number, thinkMsMean: number, goesOn: () => boolean): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(`register ${id}`);
		while (goesOn()) {
			const gateway = pickGateway(this.#cluster, random);
			if (gateway !== undefined) {
				const mode = random.chance(0.5) ? "pessimistic" : "optimistic";
				await this.#record(gateway, this.#plan(random), mode);
			}
			await world.sleep(random.exponential(thinkMsMean));
		}
	}

	/** Reads everything, in one transaction. Answers whether it committed. */
	async readAll(_process: number, gateway: SimNode): Promise<boolean> {
		const steps = this.keys.map((k): Step => ({ kind: "read", key: k }));
		return this.#record(gateway, steps, "pessimistic");
	}

	#plan(random: SeededRandom): Step[] {
		// Each key once: what a transaction writes twice has no order of its own.
		const keys = random.shuffled(this.keys).slice(0, 1 + random.below(4));
		return keys.map((k): Step => {
			const draw = random.float();
			if (draw < 0.4) return { kind: "read", key: k };
			if (draw < 0.5) return { kind: "write", key: k, value: null };
			const kind = draw < 0.75 ? "write" : "replace";
			return { kind, key: k, value: ++this.#value };
		});
	}

	async #record(
		gateway: SimNode,
		steps: readonly Step[],
		mode: "pessimistic" | "optimistic",
	): Promise<boolean> {
		const id = this.#transactions++;
		const invoked = this.#clock++;
		const kind = { mode, readOnly: steps.every((s) => s.kind === "read") };
		const ops: RegisterOp[] = [];
		const outcome = await runTransaction(this.#cluster, gateway, kind, (t) =>
			execute(t, steps, ops, mode === "pessimistic"),
		);
		const { status } = outcome;
		const completed = status === "info" ? Number.POSITIVE_INFINITY : this.#clock++;
		const timestamp = outcome.status === "ok" ? outcome.timestamp : undefined;
		this.history.push({ id, status, ops, timestamp, invoked, completed });
		const at = timestamp === undefined ? "" : ` at ${timestamp}`;
		const what = ops.map((op) => `${op[1]}${op[0] === "r" ? "=" : ":="}${op[2]}`).join(", ");
		this.#cluster.event(`R${id} at ${gateway}, ${mode}: ${status}${at} ${what}`);
		return status === "ok";
	}
}

async function execute(
	transaction: ClientTransaction,
	steps: readonly Step[],
	ops: RegisterOp[],
	locks: boolean,
): Promise<void> {
	for (const step of steps) {
		if (step.kind !== "write") {
			const value = decode(await transaction.get(step.key, step.kind === "replace" && locks));
			ops.push(["r", step.key, value]);
			if (step.kind === "read" || value === null) continue;
		}
		if (step.value === null) transaction.delete(step.key);
		else transaction.put(step.key, Buffer.from(String(step.value)));
		ops.push(["w", step.key, step.value]);
	}
}

const decode = (bytes: Uint8Array | undefined): number | null =>
	bytes === undefined ? null : Number(Buffer.from(bytes).toString());
