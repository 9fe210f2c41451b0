/**
 * Clients that read the past, beside others that make it. Writers append to lists and, in large transactions that stay open for a
 * while, replace a whole span of rows; each is told its commit timestamp. Readers read lists and span at one timestamp: what
 * followers have closed, any moment AS OF, or now. At the end each read is held against all commits: a read at s shows exactly what
 * was committed at or below s, whoever served it.
 *
 * A reader also keeps what the session of an SQL client keeps: what it reads of the past is never older than what it has seen.
 */
import { type Key, key, prefixEnd } from "@quorate/keys/key";
import { type Timestamp, ticksPerMs, timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { type ClientTransaction, type Outcome, pickGateway, runTransaction } from "./client.ts";
import { checkPast, type PastRead, type PastWrite } from "./history-check.ts";
import { decodeList } from "./list-append-clients.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

const keyCount = 8;
/** Of the span: several times what a buffer holds in these runs. */
const rowCount = 40;
const padding = "x".repeat(120);
const listKey = (n: number): Key => key(`p${n}`);
const rowKey = (n: number): Key => key(`q${String(n).padStart(2, "0")}`);
const listSpan = { start: key("p"), end: prefixEnd(key("p")) };
const rowSpan = { start: key("q"), end: prefixEnd(key("q")) };
/** How far back moments are drawn: beyond what is kept in runs with short lives. */
const backMs = 9_000;

export class HistoryClients {
	readonly lists: readonly Key[] = Array.from({ length: keyCount }, (_, n) => listKey(n));
	readonly rows: readonly Key[] = Array.from({ length: rowCount }, (_, n) => rowKey(n));
	readonly outcomes = new Map<string, number>();
	/** Large transactions that committed, and reads by what they asked for. */
	readonly counts = { appends: 0, large: 0, followers: 0, asOf: 0, present: 0, tooOld: 0 };
	/** Requests that followers answered. */
	followerReads = 0;
	/** Reads of the present, of the span, that began and ended while one large transaction was open. */
	readsMeanwhile = 0;
	readonly #cluster: SimCluster;
	readonly #lifeMs: number | undefined;
	readonly #writes: PastWrite[] = [];
	readonly #reads: PastRead[] = [];
	#value = 0;
	/** Chunks of it have been sent. */
	#open: number | undefined;

	/** `lifeMs`: how long history is kept at least. */
	constructor(cluster: SimCluster, lifeMs: number | undefined) {
		this.#cluster = cluster;
		this.#lifeMs = lifeMs;
	}

	async append(id: number, thinkMs: number, goesOn: () => boolean): Promise<void> {
		await this.#often(`appender ${id}`, thinkMs, goesOn, async (random, gateway) => {
			const keys = random.shuffled(this.lists).slice(0, 1 + random.below(2));
			const pessimistic = random.chance(0.5);
			const mode = pessimistic ? "pessimistic" : "optimistic";
			await this.#write(keys, gateway, mode, async (t, value) => {
				// To be validated: meanwhile it is pending, knows its timestamp, and is in no log.
				if (random.chance(0.7)) await t.get(random.pick(this.lists));
				for (const k of keys) {
					const list = decodeList(await t.get(k, pessimistic));
					t.put(k, encode([...list, value]));
				}
			});
		});
	}

	/** One at a time. */
	async replaceAll(thinkMs: number, goesOn: () => boolean): Promise<void> {
		await this.#often("replacer", thinkMs, goesOn, async (random, gateway) => {
			const { world } = this.#cluster;
			const outcome = await this.#write("rows", gateway, "pessimistic", async (t, value) => {
				for (const k of this.rows) {
					t.put(k, encode({ value, padding }));
					await t.flush();
					this.#open = value;
					if (random.chance(0.1)) await world.sleep(random.exponential(100));
				}
			});
			this.#open = undefined;
			if (outcome === "ok") this.counts.large++;
		});
	}

	async read(id: number, thinkMs: number, goesOn: () => boolean): Promise<void> {
		let floor = timestampZero;
		await this.#often(`past reader ${id}`, thinkMs, goesOn, async (random, gateway) => {
			const pick = random.float();
			const seen = gateway.keyValue!.placement.seen();
			if (pick < 0.45) {
				floor = await this.#readAt("followers", gateway, floor, random, { closedFrom: floor });
			} else if (pick < 0.8 && seen > backMs * ticksPerMs) {
				const at = timestamp(seen - random.below(backMs * ticksPerMs));
				const asOf = { timestamp: at, schemaVersion: 1 };
				const closed = random.chance(0.5) ? { closedFrom: timestampZero } : {};
				await this.#readAt("asOf", gateway, timestampZero, random, { asOf, ...closed });
			} else {
				floor = await this.#readAt("present", gateway, floor, random, {});
			}
		});
	}

	/** Every read against every commit. */
	check(): void {
		this.#cluster.problems.push(...checkPast(this.lists, rowCount, this.#writes, this.#reads));
	}

	async #often(
		name: string,
		thinkMs: number,
		goesOn: () => boolean,
		step: (random: SeededRandom, gateway: SimNode) => Promise<void>,
	): Promise<void> {
		const { world } = this.#cluster;
		const random = world.random(name);
		while (goesOn()) {
			await world.sleep(random.exponential(thinkMs));
			const gateway = pickGateway(this.#cluster, random);
			if (gateway?.keyValue !== undefined) await step(random, gateway);
		}
	}

	async #write(
		where: readonly Key[] | "rows",
		gateway: SimNode,
		mode: "pessimistic" | "optimistic",
		body: (t: ClientTransaction, value: number) => Promise<void>,
	): Promise<Outcome<void>["status"]> {
		const value = ++this.#value;
		const kind = { mode, readOnly: false };
		const outcome = await runTransaction(this.#cluster, gateway, kind, (t) => body(t, value));
		this.#note(where === "rows" ? "large" : "append", outcome);
		if (outcome.status === "ok" && where !== "rows") this.counts.appends++;
		if (outcome.status !== "fail") {
			const c = outcome.status === "ok" ? outcome.timestamp : undefined;
			this.#writes.push({ value, where, c });
			this.#cluster.event(`past: ${value} to ${where} ${outcome.status} at ${c}`);
		}
		return outcome.status;
	}

	/** The timestamp read at, or `floor`. */
	async #readAt(
		what: "followers" | "asOf" | "present",
		gateway: SimNode,
		floor: Timestamp,
		random: SeededRandom,
		kind: Partial<Parameters<typeof runTransaction>[2]>,
	): Promise<Timestamp> {
		const whole = { mode: "optimistic", readOnly: true, ...kind } as const;
		const open = this.#open;
		const outcome = await runTransaction(this.#cluster, gateway, whole, async (t) => {
			const read = await this.#readSome(t, random);
			this.followerReads += t.followerReads;
			return { ...read, s: t.readAt! };
		});
		this.#note(what, outcome);
		if (outcome.status !== "ok") {
			if (outcome.code === "72000") this.#tooOld(gateway, kind.asOf?.timestamp ?? floor);
			return floor;
		}
		const { s, lists, rows } = outcome.value;
		if (open !== undefined && open === this.#open && rows !== undefined && what === "present") {
			this.readsMeanwhile++;
		}
		this.counts[what]++;
		const by = `${what} at machine ${gateway.machine.id}`;
		this.#cluster.event(`past: read at ${s} as ${by}`);
		this.#reads.push({ s, by, lists, rows });
		if (s < floor) this.#cluster.problems.push(`${by} read at ${s}, having seen ${floor}`);
		return s;
	}

	async #readSome(
		t: ClientTransaction,
		random: SeededRandom,
	): Promise<Pick<PastRead, "lists" | "rows">> {
		if (random.chance(0.5)) return { lists: undefined, rows: await rowsOf(t) };
		const lists = new Map<Key, readonly number[]>();
		if (random.chance(0.4)) {
			for (const k of this.lists) lists.set(k, []);
			for (const row of await t.scan(listSpan)) lists.set(row.key, decodeList(row.value));
		} else {
			for (const k of random.shuffled(this.lists).slice(0, 3)) {
				lists.set(k, decodeList(await t.get(k)));
			}
		}
		return { lists, rows: random.chance(0.3) ? await rowsOf(t) : undefined };
	}

	/** Nothing may be refused that is younger than what is kept. */
	#tooOld(gateway: SimNode, s: Timestamp): void {
		this.counts.tooOld++;
		const seen = Math.max(...this.#cluster.serving().map((n) => n.placement.seen()), 0);
		if (this.#lifeMs === undefined || s > seen - this.#lifeMs * ticksPerMs) {
			this.#cluster.problems.push(
				`a read at ${s} was too old at ${gateway}, and ${seen} is the newest timestamp`,
			);
		}
	}

	#note(what: string, outcome: Outcome<unknown>): void {
		const how = outcome.status === "ok" ? "ok" : `${outcome.status} ${outcome.code}`;
		this.outcomes.set(`${what} ${how}`, (this.outcomes.get(`${what} ${how}`) ?? 0) + 1);
	}
}

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

async function rowsOf(t: ClientTransaction): Promise<number[]> {
	const rows = await t.scan(rowSpan);
	return rows.map((row) => (JSON.parse(Buffer.from(row.value).toString()) as Row).value);
}

interface Row {
	readonly value: number;
}
