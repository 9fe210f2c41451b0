import test from "ava";
import { type EstablishOptions, establishIdentity } from "./founding.ts";
import { methods } from "./messages.ts";
import { TestRpc } from "./testing/test-rpc.ts";
import { TestDisk, TestProcess, TestWorld } from "./testing/test-world.ts";
import type { NodeIdentity } from "./types.ts";

const founders = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"];
const [a, b, c] = founders as [string, string, string];
const late = "10.0.0.4:1";

/** Nodes that establish identities, checked at every write of one. */
class Births {
	readonly world: TestWorld;
	readonly disks = new Map<string, TestDisk>();
	readonly identities = new Map<string, NodeIdentity>();
	readonly refusals: string[] = [];
	/** Disk lives in which a node id was formed. */
	readonly #lives = new Map<string, string>();
	readonly #joined = new Map<string, number>();
	violation: string | undefined;
	/** Someone's identity file has changed. */
	onWrite: (() => void) | undefined;

	constructor(seed: number) {
		this.world = new TestWorld(seed);
	}

	disk(address: string): TestDisk {
		let disk = this.disks.get(address);
		if (disk === undefined) {
			disk = new TestDisk();
			this.disks.set(address, disk);
			disk.onReplace = () => {
				this.#check();
				this.onWrite?.();
			};
		}
		return disk;
	}

	start(address: string, join: readonly string[] = founders): TestProcess {
		const process = new TestProcess(this.world, address, this.disk(address));
		const rpc = new TestRpc(process, { addressOf: () => undefined });
		const options: EstablishOptions = {
			runtime: process.runtime,
			rpc,
			join,
			selfAddress: address,
		};
		establishIdentity(options).then(
			(identity) => {
				this.identities.set(address, identity);
				rpc.handle(methods.join, (body) => this.#admit(identity, body));
			},
			(error: Error) => this.refusals.push(error.message),
		);
		return process;
	}

	/** What `placement` does: a node id from the group, while it has a majority. */
	#admit(identity: NodeIdentity, body: unknown): NodeIdentity {
		const { token } = body as { token: string };
		const up = identity.founders.filter(({ nodeId, address }) => {
			const formed = this.formedAt(address);
			const isUp = this.world.listening.has(address);
			return isUp && formed?.clusterId === identity.clusterId && formed.nodeId === nodeId;
		});
		if (up.length * 2 <= identity.founders.length) {
			throw new Error("no majority");
		}
		const nodeId = this.#joined.get(token) ?? identity.founders.length + 1 + this.#joined.size;
		this.#joined.set(token, nodeId);
		return { ...identity, nodeId: nodeId as NodeIdentity["nodeId"] };
	}

	formedAt(address: string): NodeIdentity | undefined {
		const bytes = this.disks.get(address)?.files.get("identity.json");
		if (bytes === undefined) {
			return undefined;
		}
		const file = JSON.parse(Buffer.from(bytes).toString("utf8")) as NodeIdentity & {
			phase: string;
		};
		return file.phase === "formed" ? file : undefined;
	}

	clusters(): string[] {
		const all = [...this.disks.keys()].map((address) => this.formedAt(address)?.clusterId);
		return [...new Set(all.filter((id) => id !== undefined))];
	}

	#check(): void {
		if (this.clusters().length > 1) {
			this.violation ??= `two clusters: ${this.clusters().join(", ")}`;
		}
		for (const [address, disk] of this.disks) {
			const formed = this.formedAt(address);
			if (formed === undefined) {
				continue;
			}
			const id = `${formed.clusterId}/${formed.nodeId}`;
			const life = `${address} life ${disk.life}`;
			if ((this.#lives.get(id) ?? life) !== life) {
				this.violation ??= `node ${id} lived as ${this.#lives.get(id)} and as ${life}`;
			}
			this.#lives.set(id, life);
		}
	}
}

const orders = [
	[a, b, c],
	[a, c, b],
	[b, a, c],
	[b, c, a],
	[c, a, b],
	[c, b, a],
] as const;

test("three nodes become one cluster in any order of start and after any pause", async (t) => {
	for (const [i, order] of orders.entries()) {
		for (const pauseMs of [0, 300, 100_000]) {
			const births = new Births(i + 1);
			for (const address of order) {
				births.start(address);
				await births.world.run(births.world.nowMs + pauseMs);
			}
			const isDone = await births.world.run(1e6, () => births.identities.size === 3);
			t.true(isDone);
			t.is(births.clusters().length, 1);
			t.is(births.violation, undefined);
			t.deepEqual(
				founders.map((address) => births.identities.get(address)?.nodeId as number),
				[1, 2, 3],
			);
		}
	}
});

test("a crash at any step, with or without the disk, never makes two clusters", async (t) => {
	let runs = 0;
	for (const [i, order] of orders.entries()) {
		for (const victim of founders) {
			for (const wiped of [false, true]) {
				for (let step = 1; step <= 40; step++) {
					runs++;
					const births = new Births(i * 1000 + step);
					for (const address of order) {
						const process = births.start(address);
						if (address === victim) {
							crashAndReturn(births, process, step, wiped, 600);
						}
						await births.world.run(births.world.nowMs + 90);
					}
					const isDone = await births.world.run(60_000, () => births.identities.size === 3);
					const name = `${order} ${victim} ${wiped} ${step}`;
					t.is(births.violation, undefined, name);
					t.true(isDone, `everyone found the cluster: ${name}`);
				}
			}
		}
	}
	t.is(runs, 1440);
});

function crashAndReturn(
	births: Births,
	process: TestProcess,
	step: number,
	wiped: boolean,
	downMs: number,
): void {
	const { world } = births;
	process.crashAtStep = step;
	process.onCrash = () => {
		births.identities.delete(process.address);
		if (wiped) {
			births.disk(process.address).wipe();
		}
		world.at(world.nowMs + downMs, undefined, () => births.start(process.address));
	};
}

const walks = Number(process.env["WALKS"] ?? 1500);

test("crashes, wiped disks, sleeps and late messages never make two clusters", async (t) => {
	let together = 0;
	let crashes = 0;
	for (let seed = 1; seed <= walks; seed++) {
		const walk = new RandomWalk(seed);
		const isTogether = await walk.run();
		together += isTogether ? 1 : 0;
		crashes += walk.crashes;
		t.true(isTogether || walk.wiped > 1, `seed ${seed} came together`);
		t.is(walk.births.violation, undefined, `seed ${seed}`);
	}
	// Two founders wiped after the birth leave a cluster without a majority: then nobody goes on.
	t.true(together > walks * 0.6, `${together} came together`);
	t.true(crashes > walks * 1.5, `${crashes} crashes`);
});

/** Founders in slow company, with faults right after someone has written an identity. */
class RandomWalk {
	readonly births: Births;
	crashes = 0;
	wiped = 0;
	#faultsLeft: number;
	readonly #wipedShare: number;
	readonly #processes = new Map<string, TestProcess>();

	constructor(seed: number) {
		this.births = new Births(seed * 7919);
		const { world } = this.births;
		world.slowShare = world.random() * 0.3;
		this.#wipedShare = world.random();
		this.#faultsLeft = 2 + Math.floor(world.random() * 3);
	}

	/** True if all were members of one cluster in the end. */
	async run(): Promise<boolean> {
		const { world, identities } = this.births;
		this.births.onWrite = () => this.#disturb();
		for (const address of founders) {
			world.at(world.random() * 400, undefined, () => this.#begin(address));
		}
		await world.run(15_000);
		world.slowShare = 0;
		this.#faultsLeft = 0;
		return world.run(30_000, () => identities.size === 3);
	}

	#disturb(): void {
		const { world } = this.births;
		if (this.#faultsLeft > 0 && world.random() < 0.4) {
			this.#faultsLeft--;
			const afterMs = world.random() * (world.random() < 0.5 ? 10 : 1500);
			world.at(world.nowMs + afterMs, undefined, () => this.#fault());
		}
	}

	#fault(): void {
		const { world } = this.births;
		const address = founders[Math.floor(world.random() * 3)]!;
		const victim = this.#processes.get(address);
		if (victim === undefined || victim.isDead) {
			return;
		}
		if (world.random() < 0.2) {
			victim.asleepUntilMs = world.nowMs + world.random() * 5000;
			return;
		}
		this.crashes++;
		victim.crash();
		this.births.identities.delete(address);
		if (world.random() < this.#wipedShare) {
			this.wiped++;
			this.births.disk(address).wipe();
		}
		world.at(world.nowMs + world.random() * 300, undefined, () => this.#begin(address));
	}

	#begin(address: string): void {
		this.#processes.set(address, this.births.start(address));
	}
}

test("a founder wiped later joins as a new node", async (t) => {
	for (const victim of founders) {
		const births = new Births(5);
		const processes = new Map(founders.map((address) => [address, births.start(address)]));
		await births.world.run(1e4, () => births.identities.size === 3);
		const [id] = births.clusters();
		processes.get(victim)!.crash();
		births.disk(victim).wipe();
		births.identities.delete(victim);
		births.start(victim);
		t.true(await births.world.run(2e4, () => births.identities.size === 3));
		t.is(births.identities.get(victim)?.nodeId as number, 4);
		t.is(births.identities.get(victim)?.clusterId as string, id!);
		t.is(births.violation, undefined);
	}
});

test("later nodes join, also when only the wiped convener's address is left to ask", async (t) => {
	const births = new Births(6);
	for (const address of founders) {
		births.start(address);
	}
	await births.world.run(1e4, () => births.identities.size === 3);
	births.start(late, [b]);
	t.true(await births.world.run(2e4, () => births.identities.size === 4));
	t.is(births.identities.get(late)?.nodeId as number, 4);
});

test("one node with itself alone founds at once; two need each other once", async (t) => {
	const alone = new Births(7);
	alone.start(a, [a]);
	t.true(await alone.world.run(100, () => alone.identities.size === 1));
	t.is(alone.identities.get(a)?.founders.length, 1);

	const two = new Births(8);
	two.start(a, [a, b]);
	t.false(await two.world.run(5000, () => two.identities.size > 0));
	two.start(b, [b, a]);
	t.true(await two.world.run(1e4, () => two.identities.size === 2));
	t.is(two.identities.get(b)?.nodeId as number, 2);
	t.is(two.violation, undefined);
});

test("different join lists do not make a cluster, and are named", async (t) => {
	const births = new Births(9);
	const process = births.start(a);
	births.start(b, [a, b, late]);
	births.start(c);
	t.false(await births.world.run(5000, () => births.identities.size > 0));
	t.true(process.log.some((line) => line.includes(`${b} was started with another join list`)));
});

test("a directory of another cluster, a newer or damaged file, and strange files are refused", async (t) => {
	const births = new Births(10);
	for (const address of founders) {
		births.start(address);
	}
	await births.world.run(1e4, () => births.identities.size === 3);
	const other = new Births(11);
	other.start(late, [late]);
	await other.world.run(1e4, () => other.identities.size === 1);

	const foreign = births.disk("10.0.0.9:1");
	const file = Buffer.from(other.disk(late).files.get("identity.json")!).toString("utf8");
	foreign.onReplace = undefined;
	foreign.files.set("identity.json", Buffer.from(file));
	births.start("10.0.0.9:1");
	await births.world.run(2e4, () => births.refusals.length === 1);
	t.regex(births.refusals[0]!, /the data directory belongs to cluster .*, but 10.0.0.1:1 to/);

	const variants = [
		[file.replace('"format": 1', '"format": 2'), /has format 2, this build reads up to 1/],
		[file.replace('"nodeId": 1', '"nodeId": 2'), /is damaged/],
		["{", /damaged or not Quorate's/],
	] as const;
	for (const [text, message] of variants) {
		const one = new Births(12);
		one.disk(a).files.set("identity.json", Buffer.from(text));
		one.start(a, [a]);
		await one.world.run(100, () => one.refusals.length === 1);
		t.regex(one.refusals[0]!, message);
	}
	const strange = new Births(13);
	strange.disk(a).files.set("wal", new Uint8Array());
	strange.start(a, [a]);
	await strange.world.run(100, () => strange.refusals.length === 1);
	t.regex(strange.refusals[0]!, /has no identity.json but other files/);
});
