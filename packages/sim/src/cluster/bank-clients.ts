/** A bank: transfers between accounts on several ranges; whoever reads all accounts at once sees the same total. */
import { type Key, key, prefixEnd } from "@quorate/keys/key";
import { pickGateway, runTransaction } from "./client.ts";
import type { SimCluster } from "./sim-cluster.ts";

const prefix = "b";
const accountKey = (n: number): Key => key(prefix + String(n).padStart(2, "0"));
const accountSpan = { start: key(prefix), end: prefixEnd(key(prefix)) };
const startBalance = 100;

const encode = (balance: number): Uint8Array => Buffer.from(String(balance));
const decode = (bytes: Uint8Array | undefined): number => Number(Buffer.from(bytes ?? []));

export class BankClients {
	readonly accounts: readonly Key[];
	/** Totals that were looked at. */
	totals = 0;
	transfers = 0;
	readonly #cluster: SimCluster;

	constructor(cluster: SimCluster, accountCount: number) {
		this.#cluster = cluster;
		this.accounts = Array.from({ length: accountCount }, (_, n) => accountKey(n));
	}

	async fill(): Promise<void> {
		const kind = { mode: "pessimistic", readOnly: false } as const;
		const outcome = await runTransaction(
			this.#cluster,
			this.#cluster.nodes[0]!,
			kind,
			async (t) => {
				for (const k of this.accounts) t.put(k, encode(startBalance));
			},
		);
		if (outcome.status !== "ok") {
			this.#cluster.problems.push(`the bank was not filled: ${outcome.code}`);
		}
	}

	async run(id: number, thinkMsMean: number, goesOn: () => boolean): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(`bank ${id}`);
		while (goesOn()) {
			const gateway = pickGateway(this.#cluster, random);
			if (gateway !== undefined) {
				if (random.chance(0.3)) await this.#total(gateway, random.chance(0.5));
				else {
					const [from, to] = random.shuffled(this.accounts);
					await this.#transfer(gateway, from!, to!, random.below(20), random.chance(0.5));
				}
			}
			await world.sleep(random.exponential(thinkMsMean));
		}
	}

	async #transfer(
		gateway: Parameters<typeof runTransaction>[1],
		from: Key,
		to: Key,
		amount: number,
		pessimistic: boolean,
	): Promise<void> {
		const mode = pessimistic ? "pessimistic" : "optimistic";
		const kind = { mode, readOnly: false } as const;
		const outcome = await runTransaction(this.#cluster, gateway, kind, async (t) => {
			const a = readBalance(await t.get(from, pessimistic));
			const b = readBalance(await t.get(to, pessimistic));
			t.put(from, encode(a - amount));
			t.put(to, encode(b + amount));
		});
		if (outcome.status === "ok") this.transfers++;
	}

	/** By one scan, in a transaction that only reads or in one that could write. */
	async #total(gateway: Parameters<typeof runTransaction>[1], readOnly: boolean): Promise<void> {
		const kind = { mode: "optimistic", readOnly } as const;
		const outcome = await runTransaction(this.#cluster, gateway, kind, (t) => t.scan(accountSpan));
		if (outcome.status !== "ok") return;
		this.totals++;
		let total = 0;
		for (const row of outcome.value) total += decode(row.value);
		const expected = this.accounts.length * startBalance;
		if (total !== expected || outcome.value.length !== this.accounts.length) {
			this.#cluster.problems.push(
				`the bank's total is ${total} over ${outcome.value.length} accounts, not ${expected}`,
			);
		}
	}
}

function readBalance(bytes: Uint8Array | undefined): number {
	if (bytes === undefined) throw new Error("an account is missing");
	return decode(bytes);
}
