/**
 * Which session a CancelRequest means. The process id of BackendKeyData carries the node in its upper bits, so
 * that any node can tell where a request belongs; the secret is from the cryptographic source.
 */
import { assert } from "@quorate/keys/assert";
import type { Random } from "@quorate/runtime/runtime";

/** 11 bits of node (its id modulo 2048) over 20 bits of session, in a positive int32. */
const sessionBits = 20;
const sessionMask = (1 << sessionBits) - 1;
const nodeMask = 0x7ff;

export interface CancelKey {
	readonly pid: number;
	readonly secret: number;
}

export class CancelKeys<Target> {
	readonly #random: Random;
	readonly #node: number;
	readonly #targets = new Map<number, { readonly secret: number; readonly target: Target }>();
	#last = 0;

	constructor(random: Random, nodeId: number) {
		this.#random = random;
		this.#node = (nodeId & nodeMask) << sessionBits;
	}

	issue(target: Target): CancelKey {
		assert(this.#targets.size < sessionMask, "more sessions than process ids");
		do {
			this.#last = (this.#last + 1) & sessionMask;
		} while (this.#last === 0 || this.#targets.has(this.#node | this.#last));
		const pid = this.#node | this.#last;
		const secret = Buffer.from(this.#random.bytes(4)).readInt32BE(0);
		this.#targets.set(pid, { secret, target });
		return { pid, secret };
	}

	/** Undefined for a wrong key. Takes the same time whether the process id, the secret or nothing is right. */
	find(key: CancelKey): Target | undefined {
		const entry = this.#targets.get(key.pid);
		const difference = (entry?.secret ?? ~key.secret) ^ key.secret;
		return difference === 0 ? entry?.target : undefined;
	}

	/** For those who need no secret: operators. */
	byPid(pid: number): Target | undefined {
		return this.#targets.get(pid)?.target;
	}

	/** Whether the process id is one of this node's. */
	isOwn(pid: number): boolean {
		return nodeOfPid(pid) === this.#node >> sessionBits;
	}

	withdraw(pid: number): void {
		this.#targets.delete(pid);
	}
}

/** Part of the process ids that a node issues: its id modulo 2048. */
export const pidNode = (nodeId: number): number => nodeId & nodeMask;

/** The node that issued a process id, modulo 2048. */
export const nodeOfPid = (pid: number): number => (pid >> sessionBits) & nodeMask;
