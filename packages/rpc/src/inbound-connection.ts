/** The accepting side of a connection: a peer's calls and one-way messages to this node, and the answers. */
import { DatabaseError, errorToData } from "@quorate/keys/database-error";
import { parseAddress } from "@quorate/runtime/address";
import type { Connection } from "@quorate/runtime/runtime";
import { decodeMessage, encodeMessage, LENGTH_BYTES, MESSAGE_BYTES_MAX } from "./codec.ts";
import type { Outcome } from "./dispatcher.ts";
import { FrameReader } from "./frame-reader.ts";
import {
	decodeGreeting,
	encodeGreeting,
	GREETING_BYTES_MAX,
	type Greeting,
	type Identity,
	refusalOf,
	versionRefusal,
} from "./handshake.ts";
import { type LinkContext, SILENT_TICKS_MAX } from "./link-context.ts";
import { MessageWriter } from "./message-writer.ts";
import * as messages from "./messages.ts";
import type { Peer, Pulse } from "./types.ts";

/** A peer that does not read its answers gets no more calls in than this many bytes of them. */
const ANSWER_BYTES_PAUSE = 8 * 1024 * 1024;
/** The first of them may come right after something was read. */
const HEARD_TICKS = 2;
/** A peer that is gone cannot be told from one that is slow to read, while we do not read ourselves. */
const PAUSED_TICKS_MAX = 120;

const PONG_BYTES = encodeMessage([messages.PONG]);

export class InboundConnection {
	readonly #context: LinkContext;
	readonly #connection: Connection;
	readonly #writer: MessageWriter;
	readonly #reader = new FrameReader(GREETING_BYTES_MAX);
	/** Undefined until the peer has greeted. */
	#identity: Identity | undefined;
	#from: Peer | undefined;
	#dialled: string | undefined;
	#silentTicks = 0;
	#pings = 0;
	#paused = false;
	#closed = false;

	constructor(context: LinkContext, connection: Connection) {
		this.#context = context;
		this.#connection = connection;
		this.#writer = new MessageWriter(connection, context.runtime.scheduler);
		connection.onData((bytes) => this.#receive(bytes));
		connection.onDrain(() => this.#resume());
		connection.onClose(() => this.#ended());
	}

	get identity(): Identity | undefined {
		return this.#identity;
	}

	get pulse(): Pulse {
		return { pings: this.#pings, isHeard: this.#silentTicks <= HEARD_TICKS };
	}

	/** True of an earlier connection of the same link: what it still brings would come out of order. */
	isSupersededBy(greeting: Greeting): boolean {
		return this.#identity?.bootId === greeting.bootId && this.#dialled === greeting.dialled;
	}

	/** Every `TICK_MS`. The peer pings that often, unless we do not read. */
	tick(): void {
		const why = this.#identity && this.#whyBarred(this.#identity);
		if (why !== undefined) {
			this.#context.runtime.logger.log("warn", "closing a connection", { reason: why });
			this.destroy();
			return;
		}
		const ticksMax = this.#paused ? PAUSED_TICKS_MAX : SILENT_TICKS_MAX;
		if (++this.#silentTicks > ticksMax) this.destroy();
	}

	sendIdentity(message: Uint8Array): void {
		if (this.#identity !== undefined) this.#writer.push(message);
	}

	destroy(): void {
		this.#connection.destroy();
		this.#ended();
	}

	/** What was answered so far still leaves. */
	close(): void {
		this.#writer.finish();
		this.#connection.end();
		this.#ended();
	}

	#ended(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#writer.discard();
		this.#context.inboundClosed(this);
	}

	#receive(bytes: Uint8Array): void {
		if (this.#closed) return;
		this.#silentTicks = 0;
		try {
			this.#reader.push(bytes, (message) => {
				if (this.#identity === undefined) this.#acceptGreeting(message);
				else this.#dispatch(messages.checkMessage(decodeMessage(message)));
				return !this.#closed;
			});
		} catch (error) {
			this.#context.runtime.logger.log("warn", "closing a connection: bad message", {
				peer: this.#connection.remoteAddress,
				error,
			});
			this.destroy();
		}
	}

	#acceptGreeting(message: Uint8Array): void {
		const self = this.#context.identity();
		const result = decodeGreeting(message);
		if (result.kind === "invalid") {
			throw new messages.ProtocolError(result.reason);
		}
		const barred = result.kind === "greeting" ? this.#whyBarred(result.greeting) : undefined;
		const refusal =
			result.kind === "version"
				? versionRefusal(self, this.#connection.remoteAddress, result.version)
				: (refusalOf(self, result.greeting) ?? barred ?? this.#impostor(result.greeting));
		if (refusal !== undefined) {
			this.#refuse(refusal, refusal === barred);
			return;
		}
		if (result.kind === "greeting") {
			this.#reader.sizeBytesMax = MESSAGE_BYTES_MAX;
			this.#connection.write(encodeGreeting(self));
			this.#dialled = result.greeting.dialled;
			this.#context.superseded(this, result.greeting);
			this.#setIdentity(result.greeting);
		}
	}

	/** R9. */
	#whyBarred({ nodeId }: Identity): string | undefined {
		return this.#context.whyBarred(nodeId, this.#connection.certificate);
	}

	/** Under TLS a peer is who its certificate says (R8). */
	#impostor({ address, nodeId }: Identity): string | undefined {
		const known = nodeId === undefined ? undefined : this.#context.knownAddress(nodeId);
		for (const one of [address, known ?? address]) {
			const host = parseAddress(one)?.host ?? "";
			if (this.#connection.certifies?.(host) !== false) continue;
			const whose = one === address ? "" : `, where node ${nodeId} was last known to listen`;
			return `the certificate of ${this.#connection.remoteAddress} is not one of ${host}${whose}`;
		}
		return undefined;
	}

	#refuse(refusal: string, barred: boolean): void {
		this.#context.runtime.logger.log("error", "refusing a node", {
			peer: this.#connection.remoteAddress,
			reason: refusal,
		});
		this.#connection.write(encodeGreeting({ ...this.#context.identity(), refusal, barred }));
		this.close();
	}

	#setIdentity(identity: Identity): void {
		this.#identity = identity;
		this.#from =
			identity.nodeId === undefined
				? undefined
				: { nodeId: identity.nodeId, bootId: identity.bootId };
		this.#context.peerKnown(identity);
	}

	#dispatch(message: readonly unknown[]): void {
		const { dispatcher } = this.#context;
		switch (message[0]) {
			case messages.CALL: {
				const callId = messages.checkCallId(message[1]);
				const method = messages.checkText(message[2], "a method");
				dispatcher.call(method, message[3], this.#from, (outcome) =>
					this.#answer(callId, method, outcome),
				);
				return;
			}
			case messages.SEND:
				dispatcher.send(messages.checkText(message[1], "a method"), message[2], this.#from);
				return;
			case messages.PING:
				this.#pings++;
				this.#writer.push(PONG_BYTES);
				return;
			case messages.IDENTITY: {
				const identity = messages.withIdentity(this.#identity!, message);
				const refusal = refusalOf(this.#context.identity(), identity) ?? this.#whyBarred(identity);
				if (refusal !== undefined) throw new messages.ProtocolError(refusal);
				this.#setIdentity(identity);
				return;
			}
			default:
				throw new messages.ProtocolError(`message of unknown kind ${String(message[0])}`);
		}
	}

	#answer(callId: number, method: string, outcome: Outcome): void {
		if (this.#closed) return;
		this.#writer.push(this.#encode(callId, method, outcome));
		if (!this.#paused && this.#writer.queuedBytes > ANSWER_BYTES_PAUSE) {
			this.#paused = true;
			this.#silentTicks = 0;
			this.#connection.pause();
		}
	}

	#encode(callId: number, method: string, outcome: Outcome): Uint8Array {
		if (outcome.kind === "databaseError") {
			return encodeMessage([messages.DATABASE_ERROR, callId, errorToData(outcome.error)]);
		}
		if (outcome.kind === "refusal") {
			return encodeMessage([messages.REFUSAL, callId, outcome.message]);
		}
		try {
			const message = encodeMessage([messages.ANSWER, callId, outcome.body]);
			if (message.length - LENGTH_BYTES <= MESSAGE_BYTES_MAX) return message;
			return encodeMessage([
				messages.DATABASE_ERROR,
				callId,
				errorToData(tooLarge(method, message.length)),
			]);
		} catch (error) {
			this.#context.runtime.logger.log("error", "an answer cannot be encoded", { method, error });
			return encodeMessage([messages.REFUSAL, callId, `the answer of ${method} cannot be encoded`]);
		}
	}

	#resume(): void {
		if (!this.#paused) return;
		this.#paused = false;
		this.#silentTicks = 0;
		this.#connection.resume();
	}
}

export const tooLarge = (method: string, sizeBytes: number): DatabaseError =>
	new DatabaseError(
		"54000",
		`a message of ${sizeBytes} bytes is too large to be sent between nodes (${method})`,
		{ detail: `At most ${MESSAGE_BYTES_MAX} bytes are allowed.` },
	);
