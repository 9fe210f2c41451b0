/** Workers that run one operation after the other, each on a session with any node, and write down what they saw. */
import { setTimeout as sleep } from "node:timers/promises";
import { Failed, Session } from "../net/session.ts";
import { SeededRandom } from "../workload/random.ts";
import { pick, type Work, type Workload } from "../workloads/workload.ts";
import type { Completion, Recorder } from "./recorder.ts";
import type { RunCluster } from "./run-cluster.ts";

const answerMs = 10_000;
const reconnectMs = 100;
/** Between two operations, so that a run is not one long line of the fastest ones. */
const thinkMs = 4;
/** Who could not do its work goes elsewhere after so many attempts in a row. */
const failuresMax = 3;

export interface LoadOptions {
	readonly cluster: RunCluster;
	readonly workload: Workload;
	readonly recorder: Recorder;
	readonly concurrency: number;
	readonly seed: number;
	/** Stops by itself after so many operations. */
	readonly operations: number | undefined;
}

export class Load {
	readonly codes = new Map<string, number>();
	readonly #options: LoadOptions;
	readonly #running: Promise<readonly PromiseSettledResult<void>[]>;
	#nextProcess: number;
	#begun = 0;
	#isOver = false;

	constructor(options: LoadOptions) {
		this.#options = options;
		this.#nextProcess = options.concurrency;
		const indexes = Array.from({ length: options.concurrency }, (_, index) => index);
		const workers = indexes.map((index) => this.#work(index));
		for (const worker of workers) {
			// Looked at in `stop`. Who is still waiting for an answer is waited for.
			worker.catch(() => {
				this.#isOver = true;
			});
		}
		this.#running = Promise.allSettled(workers);
	}

	get isOver(): boolean {
		const { operations } = this.#options;
		return this.#isOver || (operations !== undefined && this.#begun >= operations);
	}

	/** Resolves when the last answer has come; rejects with a mistake of the workload. */
	async stop(): Promise<void> {
		this.#isOver = true;
		for (const result of await this.#running) {
			if (result.status === "rejected") throw result.reason;
		}
	}

	/** Once through every node; says what could not be read. */
	async readAll(): Promise<readonly string[]> {
		const { cluster, workload } = this.#options;
		const problems: string[] = [];
		for (const node of cluster.membersNow()) {
			let session: Session | undefined;
			const process = this.#nextProcess++;
			for (const work of workload.finals?.() ?? []) {
				const completion = await this.#finalRead(process, work, async () => {
					if (session?.usable !== true) session = await Session.open(node, "final");
					return session;
				});
				if (completion.type !== "ok") {
					problems.push(`${node.name} could not read in the end: ${completion.error}`);
					break;
				}
			}
			await session?.close();
		}
		return problems;
	}

	async #finalRead(
		process: number,
		work: Work,
		session: () => Promise<Session>,
	): Promise<Completion> {
		for (let attempt = 1; ; attempt++) {
			try {
				const open = await session();
				const timeoutMs = 3 * (work.timeoutMs ?? answerMs);
				const completion = await this.#one(open, process, { ...work, timeoutMs });
				if (completion.type === "ok" || attempt === 5) return completion;
				if (completion.type === "info") return { ...completion, type: "fail" };
			} catch (error) {
				if (attempt === 5) return { type: "fail", value: null, error: (error as Error).message };
			}
			await sleep(1_000);
		}
	}

	async #work(index: number): Promise<void> {
		const { cluster, workload, concurrency, seed } = this.#options;
		const random = new SeededRandom(seed * 1009 + index);
		let process = index;
		let failures = 0;
		let session: Session | undefined;
		while (!this.isOver) {
			if (session?.usable !== true) {
				session = await this.#connect(random);
				continue;
			}
			this.#begun++;
			const work = workload.next({ index, workers: concurrency, process, random });
			const { type, error } = await this.#one(session, process, work);
			failures = type === "ok" ? 0 : failures + 1;
			if (error !== undefined) this.codes.set(error, (this.codes.get(error) ?? 0) + 1);
			if (type === "info") process = this.#nextProcess++;
			if (failures >= failuresMax || random.between(1, 200) === 1) {
				failures = 0;
				await session.close();
			}
			await sleep(thinkMs);
		}
		await session?.close();
		cluster.throwIfEnded();
	}

	async #connect(random: SeededRandom): Promise<Session | undefined> {
		const running = this.#options.cluster.membersNow().filter((node) => node.running);
		if (running.length > 0) {
			try {
				return await Session.open(pick(random, running), "jepsen");
			} catch {
				// That one does not answer: another one, after a moment.
			}
		}
		await sleep(reconnectMs);
		return undefined;
	}

	async #one(session: Session, process: number, work: Work): Promise<Completion> {
		const { recorder } = this.#options;
		const { f, value, timeoutMs = answerMs } = work;
		recorder.invoke(process, f, value);
		let completion: Completion;
		try {
			const answered = await session.within(timeoutMs, () => work.run(session));
			completion = { type: "ok", value: answered };
		} catch (error) {
			if (!(error instanceof Failed)) {
				recorder.complete(process, f, { type: "info", value, error: String(error) });
				throw error;
			}
			completion = { type: error.status, value, error: error.code };
		}
		recorder.complete(process, f, completion);
		return completion;
	}
}
