/**
 * Duplicates and late copies of Raft's messages. Between nodes there are connections, which know neither; but Raft counts on nothing
 * of the kind, and what it survives is not to hang on the transport. Calls and their answers are left as they are: that each is
 * delivered once at most is what T3 and T5 build on.
 */
import { decodeMessage, LENGTH_BYTES } from "@quorate/rpc/codec";
import { SEND } from "@quorate/rpc/messages";
import type { SeededRandom } from "../../runtime/seeded-random.ts";
import type { Disorder, Straggler } from "../../runtime/sim-link.ts";

export interface DisorderOptions {
	/** Shares of the frames of Raft's messages that come again, and that others overtake. */
	readonly copied: number;
	readonly heldBack: number;
	readonly delayMsMean: number;
}

export class RaftDisorder {
	readonly #random: SeededRandom;
	readonly #options: DisorderOptions;

	constructor(random: SeededRandom, options: DisorderOptions) {
		this.#random = random;
		this.#options = options;
	}

	/** `bytes`: what a node writes at once, which is whole messages. */
	of(bytes: Uint8Array): Disorder {
		const now: Uint8Array[] = [];
		const later: Straggler[] = [];
		for (let at = 0; at < bytes.length; ) {
			const view = new DataView(bytes.buffer, bytes.byteOffset + at);
			const message = bytes.subarray(at, at + LENGTH_BYTES + view.getUint32(0));
			at += message.length;
			const delayMs = this.#random.exponential(this.#options.delayMsMean);
			const draw = this.#random.float();
			if (!isOfRaft(message.subarray(LENGTH_BYTES))) now.push(message);
			else if (draw < this.#options.heldBack)
				later.push({ bytes: message, delayMs, isCopy: false });
			else {
				now.push(message);
				if (draw > 1 - this.#options.copied) later.push({ bytes: message, delayMs, isCopy: true });
			}
		}
		return { now: now.length === 1 ? now[0]! : Buffer.concat(now), later };
	}
}

/** Greetings are no arrays. */
function isOfRaft(message: Uint8Array): boolean {
	if (message[0] !== 0x93) return false;
	const [kind, method] = decodeMessage(message) as readonly unknown[];
	return kind === SEND && method === "raft";
}
