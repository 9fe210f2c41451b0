/**
 * Runs scenarios on a simulated cluster. Before the next step is taken, every session that has a statement under way waits
 * for a lock, and still does when all messages that were under way have arrived: so `waits` is what the lock tables say,
 * whatever the speed of the machine.
 */
import type { Runtime } from "@quorate/runtime/runtime";
import type { SimCluster } from "../cluster/sim-cluster.ts";
import { SqlError } from "../cluster/sql-connection.ts";
import type { Anomaly, Level, Mode, Scenario, Step } from "./scenario-file.ts";
import { type Answered, ScenarioSession } from "./scenario-session.ts";

export interface Variant {
	readonly level: Level;
	readonly mode: Mode;
	/** The tables are cut into ranges. */
	readonly isSplit: boolean;
}

export interface Transcript {
	readonly lines: readonly string[];
	readonly hasAnomaly: boolean;
}

/** Virtual milliseconds after which all messages have arrived: below what the deadlock detector waits for. */
const graceMs = 40;
/** Virtual milliseconds until the background work of the setup has ended. */
const setupMs = 500;
const setupAttempts = 20;
/** Nothing was done, and may be done later. */
const passing: ReadonlySet<string> = new Set(["55000", "57P03", "40001"]);
const patienceMs = 30_000;

/** Owners that wait for locks anywhere. */
function waitingOwners(cluster: SimCluster): number {
	const owners = new Set<string>();
	for (const { store } of cluster.serving()) {
		for (const { owner, strength, waitsSinceMs } of store.lockReport().locks) {
			if (strength !== null && waitsSinceMs !== null) owners.add(owner);
		}
	}
	return owners.size;
}

export async function runVariant(
	cluster: SimCluster,
	runtime: Runtime,
	scenario: Scenario,
	variant: Variant,
): Promise<Transcript> {
	const run = new ScenarioRun(cluster, runtime, scenario, variant);
	try {
		return await run.all();
	} finally {
		await run.end();
	}
}

class ScenarioRun {
	readonly #cluster: SimCluster;
	readonly #runtime: Runtime;
	readonly #scenario: Scenario;
	readonly #variant: Variant;
	readonly #sessions = new Map<string, ScenarioSession>();
	readonly #outcomes = new Map<string, string>();
	/** Since the step began. */
	#answers: Answered[] = [];

	constructor(cluster: SimCluster, runtime: Runtime, scenario: Scenario, variant: Variant) {
		this.#cluster = cluster;
		this.#runtime = runtime;
		this.#scenario = scenario;
		this.#variant = variant;
	}

	async all(): Promise<Transcript> {
		const { setup, split, steps, anomalies } = this.#scenario;
		const frame = await this.#open("frame");
		for (const sql of setup) await this.#insist(frame, sql);
		if (this.#variant.isSplit) for (const sql of split) await this.#insist(frame, sql);
		frame.close();
		await this.#cluster.world.sleep(setupMs);
		const lines: string[] = [];
		const width = Math.max(...steps.map(({ text }) => text.length));
		for (const { text, step } of steps) {
			const outcome = await this.#step(step);
			lines.push(outcome === "" ? text : `${text.padEnd(width)} => ${outcome}`);
		}
		const waiting = [...this.#sessions.values()].filter((s) => s.isRunning).map((s) => s.name);
		if (waiting.length > 0) lines.push(`at the end these still wait: ${waiting.sort().join(", ")}`);
		return { lines, hasAnomaly: anomalies.some((anomaly) => this.#happened(anomaly)) };
	}

	async end(): Promise<void> {
		for (const session of this.#sessions.values()) session.close();
		await this.#cluster.administer("drop", async ({ sessions }) => sessions.dropEverything());
	}

	/** A cluster that has just formed may not have a replica everywhere yet. */
	async #insist(frame: ScenarioSession, sql: string): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			try {
				await frame.prepare(sql);
				return;
			} catch (error) {
				const mayPass = error instanceof SqlError && passing.has(error.code);
				if (!mayPass || attempt === setupAttempts) throw error;
				await this.#cluster.world.sleep(setupMs);
			}
		}
	}

	#happened(anomaly: Anomaly): boolean {
		return anomaly.every(({ label, outcome }) => this.#outcomes.get(label) === outcome);
	}

	/** What is to be told of it. */
	async #step(step: Step): Promise<string> {
		this.#answers = [];
		switch (step.kind) {
			case "statement": {
				const session = await this.#session(step.session);
				const isQueued = session.isRunning;
				session.submit({ sql: step.sql, label: step.label });
				await this.#settled();
				return this.#told(step.session, isQueued);
			}
			case "until": {
				const session = await this.#session(step.session);
				await this.#until(() => !session.isRunning, `${step.session} is answered`);
				await this.#settled();
				return this.#told(undefined, false);
			}
			case "pass":
				await this.#cluster.world.sleep(step.ms);
				await this.#settled();
				return this.#told(undefined, false);
			case "cancel":
				await (await this.#session(step.session)).cancel();
				await this.#settled();
				return this.#told(undefined, false);
			case "close":
				(await this.#session(step.session)).close();
				this.#sessions.delete(step.session);
				await this.#cluster.world.sleep(graceMs);
				await this.#settled();
				return this.#told(undefined, false);
		}
	}

	#told(asker: string | undefined, isQueued: boolean): string {
		const parts: string[] = [];
		if (asker !== undefined) {
			const own = isQueued ? undefined : this.#answers.find((a) => a.session === asker);
			parts.push(own?.outcome ?? (isQueued ? "queued" : "waits"));
			if (own !== undefined) this.#answers.splice(this.#answers.indexOf(own), 1);
		}
		// Of several sessions that were answered meanwhile none is first.
		const later = this.#answers.sort((a, b) => (a.session < b.session ? -1 : 1));
		for (const { session, outcome } of later) parts.push(`${session}: ${outcome}`);
		for (const session of this.#sessions.values()) {
			const end = session.takeEnd();
			if (end !== undefined) parts.push(`${session.name} ended: ${end}`);
		}
		return parts.join("; ");
	}

	async #session(name: string): Promise<ScenarioSession> {
		const known = this.#sessions.get(name);
		if (known !== undefined) return known;
		const session = await this.#open(name);
		const { level, mode } = this.#variant;
		await session.prepare(`SET default_transaction_isolation = '${level}'`);
		await session.prepare(`SET transaction_mode = ${mode}`);
		this.#sessions.set(name, session);
		return session;
	}

	#open(name: string): Promise<ScenarioSession> {
		const { nodes } = this.#cluster;
		return ScenarioSession.open(name, {
			runtime: this.#runtime,
			node: nodes[this.#sessions.size % nodes.length]!,
			fullErrors: this.#scenario.fullErrors,
			answered: (answer) => {
				this.#answers.push(answer);
				if (answer.label !== undefined) this.#outcomes.set(answer.label, answer.outcome);
			},
		});
	}

	/** Every session that runs something waits for a lock, and nothing is under way that would change that. */
	async #settled(): Promise<void> {
		for (;;) {
			await this.#until(() => this.#allWait(), "each session is answered or waits for a lock");
			const before = this.#answers.length;
			if (this.#running() === 0) return;
			await this.#cluster.world.sleep(graceMs);
			if (this.#allWait() && this.#answers.length === before) return;
		}
	}

	#running(): number {
		return [...this.#sessions.values()].filter((session) => session.isRunning).length;
	}

	#allWait(): boolean {
		const running = this.#running();
		return running === 0 || waitingOwners(this.#cluster) >= running;
	}

	async #until(condition: () => boolean, what: string): Promise<void> {
		const { world } = this.#cluster;
		const deadlineMs = world.nowMs + patienceMs;
		while (!condition()) {
			if (world.nowMs >= deadlineMs)
				throw new Error(`${patienceMs} virtual ms in vain until ${what}`);
			await world.sleep(1);
		}
	}
}
