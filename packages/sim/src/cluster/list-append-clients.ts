/** List-append: each key holds a list; transactions read lists and append to them. Their history goes to the checker. */
import type { Transaction as HistoryEntry, MicroOp } from "@quorate/checker/history";
import { type Key, key, prefixEnd } from "@quorate/keys/key";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import {
	type ClientTransaction,
	type Outcome,
	pickGateway,
	readAlone,
	runTransaction,
} from "./client.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

export interface ListAppendOptions {
	readonly keyCount: number;
	/** Between two transactions of a client. */
	readonly thinkMsMean: number;
}

/** After this without an answer a client begins something else, beside what it waits for; not beside too much. */
const patienceMs = 700;
const outstandingMax = 5;
const observer = { thinkMsMean: 60, patienceMs: 200 } as const;

type Step = { readonly kind: "read" | "append"; readonly key: Key } | { readonly kind: "scan" };

const prefix = "l";
const listKey = (n: number): Key => key(prefix + String(n).padStart(2, "0"));
const listSpan = { start: key(prefix), end: prefixEnd(key(prefix)) };

export function decodeList(bytes: Uint8Array | undefined): readonly number[] {
	return bytes === undefined ? [] : (JSON.parse(Buffer.from(bytes).toString()) as number[]);
}

const encodeList = (list: readonly number[]): Uint8Array => Buffer.from(JSON.stringify(list));

export class ListAppendClients {
	readonly history: HistoryEntry[] = [];
	/** How transactions ended, by status and SQLSTATE. */
	readonly outcomes = new Map<string, number>();
	/** Virtual times of commits. */
	readonly commitsAtMs: number[] = [];
	readonly keys: readonly Key[];
	readonly #cluster: SimCluster;
	readonly #options: ListAppendOptions;
	#clock = 0;
	#value = 0;
	#transactions = 0;

	constructor(cluster: SimCluster, options: ListAppendOptions) {
		this.#cluster = cluster;
		this.#options = options;
		this.keys = Array.from({ length: options.keyCount }, (_, n) => listKey(n));
	}

	/** One client, until `goesOn` says no. It changes its gateway now and then, and when that dies. */
	async run(id: number, goesOn: () => boolean): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(`list-append ${id}`);
		let gateway: SimNode | undefined;
		const outstanding = new Set<Promise<void>>();
		while (goesOn()) {
			if (outstanding.size >= outstandingMax) await Promise.race(outstanding);
			if (gateway?.keyValue === undefined || random.chance(0.02)) {
				gateway = pickGateway(this.#cluster, random);
			}
			if (gateway === undefined) {
				await world.sleep(50);
				continue;
			}
			const work = this.#one(id, gateway, random).finally(() => outstanding.delete(work));
			outstanding.add(work);
			await Promise.race([work, world.sleep(patienceMs)]);
			await world.sleep(random.exponential(this.#options.thinkMsMean));
		}
		await Promise.all(outstanding);
	}

	/**
	 * Reads one key after the other at one gateway: a node that is cut off with everyone's writes stuck in it still answers
	 * such reads, and must not answer with the past.
	 */
	async observe(id: number, gateway: SimNode, goesOn: () => boolean): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(`observer ${id}`);
		const outstanding = new Map<Key, Promise<unknown>>();
		while (goesOn()) {
			await world.sleep(random.exponential(observer.thinkMsMean));
			const k = random.pick(this.keys);
			if (gateway.keyValue === undefined || outstanding.has(k)) continue;
			const work = this.#readAlone(id, gateway, k).finally(() => outstanding.delete(k));
			outstanding.set(k, work);
			await Promise.race([work, world.sleep(observer.patienceMs)]);
		}
		await Promise.all(outstanding.values());
	}

	async #one(process: number, gateway: SimNode, random: SeededRandom): Promise<void> {
		const steps = this.#plan(random);
		const readOnly = steps.every((s) => s.kind !== "append");
		const mode = random.chance(0.5) ? "pessimistic" : "optimistic";
		await this.#record(process, gateway, steps, { mode, readOnly: readOnly && random.chance(0.8) });
	}

	/** Reads everything, in one transaction. Answers whether it committed. */
	async readAll(process: number, gateway: SimNode): Promise<boolean> {
		const steps: Step[] = this.keys.map((k) => ({ kind: "read", key: k }));
		const kind = { mode: "pessimistic", readOnly: true } as const;
		return (await this.#record(process, gateway, steps, kind)) === "ok";
	}

	#plan(random: SeededRandom): Step[] {
		if (random.chance(0.08)) return [{ kind: "scan" }];
		const reads = random.chance(0.3) ? 1 : 0.5;
		return Array.from({ length: 1 + random.below(4) }, () => {
			const k = random.pick(this.keys);
			return { kind: random.chance(reads) ? "read" : "append", key: k };
		});
	}

	async #record(
		process: number,
		gateway: SimNode,
		steps: readonly Step[],
		kind: { readonly mode: "pessimistic" | "optimistic"; readonly readOnly: boolean },
	): Promise<Outcome<unknown>["status"]> {
		const id = this.#transactions++;
		const invoked = this.#clock++;
		const values = steps.map((s) => (s.kind === "append" ? ++this.#value : 0));
		const outcome = await runTransaction(this.#cluster, gateway, kind, (transaction) =>
			this.#execute(transaction, steps, values, kind),
		);
		const ops = outcome.status === "ok" ? outcome.value : unknownOps(steps, values);
		const how = `${kind.mode}${kind.readOnly ? " read only" : ""}`;
		this.#note({ id, process, ops, invoked }, gateway, how, outcome);
		return outcome.status;
	}

	async #readAlone(process: number, gateway: SimNode, k: Key): Promise<void> {
		const id = this.#transactions++;
		const invoked = this.#clock++;
		const outcome = await readAlone(this.#cluster, gateway, k);
		const list = outcome.status === "ok" ? decodeList(outcome.value) : null;
		this.#note({ id, process, ops: [["r", k, list]], invoked }, gateway, "alone", outcome);
	}

	#note(
		begun: Pick<HistoryEntry, "id" | "process" | "ops" | "invoked">,
		gateway: SimNode,
		how: string,
		outcome: Outcome<unknown>,
	): void {
		const { status } = outcome;
		const { id, process, ops } = begun;
		const completed = status === "info" ? Number.POSITIVE_INFINITY : this.#clock++;
		this.history.push({ ...begun, status, completed });
		if (status === "ok") this.commitsAtMs.push(this.#cluster.world.nowMs);
		const name = outcome.status === "ok" ? status : `${status} ${outcome.code}`;
		this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
		this.#cluster.event(
			`T${id} of client ${process} at machine ${gateway.machine.id}, ${how}: ${name}` +
				`${outcome.status === "ok" && outcome.timestamp !== undefined ? ` at ${outcome.timestamp}` : ""} ${describe(ops)}`,
		);
	}

	async #execute(
		transaction: ClientTransaction,
		steps: readonly Step[],
		values: readonly number[],
		kind: { readonly mode: string },
	): Promise<MicroOp[]> {
		const ops: MicroOp[] = [];
		for (const [i, step] of steps.entries()) {
			if (step.kind === "scan") {
				ops.push(...(await this.#scan(transaction)));
			} else if (step.kind === "read") {
				ops.push(["r", step.key, decodeList(await transaction.get(step.key))]);
			} else {
				const list = decodeList(await transaction.get(step.key, kind.mode === "pessimistic"));
				transaction.put(step.key, encodeList([...list, values[i]!]));
				ops.push(["append", step.key, values[i]!]);
			}
		}
		return ops;
	}

	/** A key without a row is an empty list. */
	async #scan(transaction: ClientTransaction): Promise<MicroOp[]> {
		const rows = new Map((await transaction.scan(listSpan)).map((row) => [row.key, row.value]));
		return this.keys.map((k) => ["r", k, decodeList(rows.get(k))]);
	}
}

function unknownOps(steps: readonly Step[], values: readonly number[]): MicroOp[] {
	return steps.flatMap((step, i): MicroOp[] => {
		if (step.kind === "scan") return [];
		return [step.kind === "append" ? ["append", step.key, values[i]!] : ["r", step.key, null]];
	});
}

function describe(ops: readonly MicroOp[]): string {
	return ops
		.map((op) =>
			op[0] === "append"
				? `${op[1]}+${op[2]}`
				: `${op[1]}=${op[2] === null ? "?" : `[${op[2].slice(-4).join(" ")}]${op[2].length}`}`,
		)
		.join(", ");
}
