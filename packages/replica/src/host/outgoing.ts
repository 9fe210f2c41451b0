/** Collects what all groups have for each peer, and sends it as one RPC frame a peer and pass. */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Message } from "@quorate/raft/types";
import type { Rpc } from "@quorate/rpc/types";
import { encodeMessage, messageBytes, wireFormat } from "./wire.ts";

/** A frame that has reached this is sent; what follows begins another. */
const frameBytesMax = 1 << 20;

interface Frame {
	readonly body: unknown[];
	bytes: number;
}

export class Outgoing {
	readonly #rpc: Rpc;
	readonly #frames = new Map<NodeId, Frame>();

	constructor(rpc: Rpc) {
		this.#rpc = rpc;
	}

	add(to: NodeId, range: RangeId, message: Message): void {
		let frame = this.#frames.get(to);
		if (frame === undefined) {
			frame = { body: [wireFormat], bytes: 0 };
			this.#frames.set(to, frame);
		}
		frame.body.push(encodeMessage(range, message));
		frame.bytes += messageBytes(message);
		if (frame.bytes >= frameBytesMax) {
			this.#frames.delete(to);
			this.#rpc.send(to, "raft", frame.body);
		}
	}

	flush(): void {
		if (this.#frames.size === 0) return;
		for (const [to, frame] of this.#frames) this.#rpc.send(to, "raft", frame.body);
		this.#frames.clear();
	}
}
