/**
 * Finds the placement group's leader and calls it: members in turn, following the hints of those
 * who do not lead.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import { type Rpc, RpcError } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { LeaderAnswer } from "./messages.ts";

export const defaultTimeoutMs = 10_000;
/**
 * After this without an answer another member is asked: the leader's node may hang with its
 * connection open.
 */
const attemptMs = 1000;
/** Of a member that has let the last one pass: where all are busy, whoever asks anew too early never hears an answer. */
const patientMs = 2000;
const backoffMsMin = 20;
const backoffMsMax = 400;

export function unavailable(): DatabaseError {
	return new DatabaseError("57P03", "the placement group cannot be reached", {
		detail: "No member answered as its leader in time.",
		hint: "More than half of the nodes of the placement group (quorate_nodes) must be up and connected.",
	});
}

/** What became of one attempt. `unsent`: certainly not acted on. */
export type Attempt =
	| { readonly kind: "answer"; readonly value: unknown }
	| { readonly kind: "unsent"; readonly retryAtOnce: boolean }
	| { readonly kind: "unknown" };

export class LeaderCalls {
	readonly #runtime: Runtime;
	readonly #rpc: Rpc;
	#members: readonly NodeId[];
	#leader: NodeId;
	/** Members that did not answer the last attempt in time. */
	readonly #late = new Set<NodeId>();

	constructor(runtime: Runtime, rpc: Rpc, members: readonly NodeId[]) {
		assert(members.length > 0, "a group has members");
		this.#runtime = runtime;
		this.#rpc = rpc;
		this.#members = members;
		this.#leader = members[0]!;
	}

	/** Members have come and gone. */
	follow(members: readonly NodeId[]): void {
		if (members.length > 0) {
			this.#members = members;
			if (!members.includes(this.#leader)) {
				this.#leader = members[0]!;
			}
		}
	}

	get members(): readonly NodeId[] {
		return this.#members;
	}

	/** The member that is believed to lead. */
	get leader(): NodeId {
		return this.#leader;
	}

	/** Repeats until answered: for what may be done twice. Rejects with 57P03 after `timeoutMs`. */
	async call(method: string, body: unknown, timeoutMs = defaultTimeoutMs): Promise<unknown> {
		return this.#repeat(method, body, timeoutMs, true);
	}

	/** Repeats only while certainly nothing was done; rejects with 40003 where that is unknown. */
	async callOnce(method: string, body: unknown, timeoutMs = defaultTimeoutMs): Promise<unknown> {
		return this.#repeat(method, body, timeoutMs, false);
	}

	/** What the next attempt is given. */
	get patienceMs(): number {
		return this.#late.has(this.#leader) ? patientMs : attemptMs;
	}

	/** Whether `target` has answered in time. */
	note(target: NodeId, answered: boolean): void {
		if (answered) {
			this.#late.delete(target);
		} else {
			this.#late.add(target);
		}
	}

	/** One attempt. */
	async attempt(method: string, body: unknown, timeoutMs: number): Promise<Attempt> {
		const target = this.#leader;
		const limitMs = Math.max(1, timeoutMs);
		try {
			const answer = await this.#rpc.call(target, method, body, { timeoutMs: limitMs });
			this.note(target, true);
			return this.read(target, answer as LeaderAnswer);
		} catch (error) {
			if (!(error instanceof RpcError)) {
				throw error;
			}
			this.note(target, error.failure !== "timeout");
			this.#turnFrom(target);
			const isUnsent = error.failure === "unreachable";
			return isUnsent ? { kind: "unsent", retryAtOnce: false } : { kind: "unknown" };
		}
	}

	/**
	 * Takes the hint of a node that does not lead. It may name one that is not among the members known here: they may have changed while
	 * this node was down, and only the leader tells.
	 */
	read(target: NodeId, [isLeader, value]: LeaderAnswer): Attempt {
		if (isLeader) {
			return { kind: "answer", value };
		}
		const hint = value as NodeId;
		const isNews = hint !== target && Number.isSafeInteger(hint) && hint > 0;
		if (this.#leader === target) {
			if (isNews) {
				this.#leader = hint;
			} else if (hint !== target) {
				this.#turnFrom(target);
			}
		}
		return { kind: "unsent", retryAtOnce: isNews };
	}

	/** Milliseconds before attempt number `failures` + 1, with jitter. */
	backoffMs(failures: number): number {
		const full = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(failures, 10));
		return full * (0.5 + 0.5 * this.#runtime.random.float());
	}

	async #repeat(
		method: string,
		body: unknown,
		timeoutMs: number,
		mayRepeat: boolean,
	): Promise<unknown> {
		const { clock } = this.#runtime;
		const deadlineMs = clock.monotonicMs() + timeoutMs;
		let hints = 0;
		for (let failures = 0; ; failures++) {
			const leftMs = deadlineMs - clock.monotonicMs();
			if (leftMs <= 0) {
				throw unavailable();
			}
			// What cannot be repeated gets all the time that there is.
			const limitMs = mayRepeat ? Math.min(this.patienceMs, leftMs) : leftMs;
			const attempt = await this.attempt(method, body, limitMs);
			if (attempt.kind === "answer") {
				return attempt.value;
			}
			if (!mayRepeat && attempt.kind === "unknown") {
				throw new DatabaseError("40003", `the outcome of ${method} is unknown`);
			}
			// Two members may send us to each other for a moment.
			if (attempt.kind === "unsent" && attempt.retryAtOnce && hints++ < 2) {
				continue;
			}
			hints = 0;
			await this.#sleep(Math.min(this.backoffMs(failures), deadlineMs - clock.monotonicMs()));
		}
	}

	#turnFrom(target: NodeId): void {
		if (this.#leader === target) {
			const at = this.#members.indexOf(target);
			this.#leader = this.#members[(at + 1) % this.#members.length]!;
		}
	}

	#sleep(delayMs: number): Promise<void> {
		return new Promise((resolve) => {
			this.#runtime.scheduler.setTimer(Math.max(0, delayMs), resolve);
		});
	}
}
