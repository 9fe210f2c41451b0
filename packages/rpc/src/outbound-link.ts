/**
 * The connecting side: this node's calls and one-way messages to one address, and the answers to the calls. Made when
 * first needed; after a loss it comes back by itself, with growing and jittered pauses, as long as someone wants it. Messages wait for
 * the first attempt only: a machine without power would cost each of them the whole time that an attempt may take.
 */
import { assert } from "@quorate/keys/assert";
import type { NodeId } from "@quorate/keys/ids";
import type { Connection, Timer } from "@quorate/runtime/runtime";
import { decodeMessage, encodeMessage, MESSAGE_BYTES_MAX } from "./codec.ts";
import { FrameReader } from "./frame-reader.ts";
import {
	decodeGreeting,
	encodeGreeting,
	GREETING_BYTES_MAX,
	type Identity,
	refusalOf,
	versionRefusal,
} from "./handshake.ts";
import {
	BUSY_TICKS_MAX,
	type LinkContext,
	QUEUED_BYTES_MAX,
	SILENT_TICKS_MAX,
	TICK_MS,
} from "./link-context.ts";
import { MessageWriter } from "./message-writer.ts";
import * as messages from "./messages.ts";
import { RpcError, type RpcFailure } from "./types.ts";

const CONNECT_TIMEOUT_MS = 1000;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1000;

const PING_BYTES = encodeMessage([messages.PING]);

/** A message that waits for the connection. */
interface Waiting {
	readonly message: Uint8Array;
	/** 0 for a one-way message. */
	readonly callId: number;
	/** Whom it is for, where that was said. */
	readonly to: NodeId | undefined;
}

export class OutboundLink {
	readonly address: string;
	readonly #context: LinkContext;
	#state: "idle" | "connecting" | "greeting" | "open" | "pausing" | "closed" = "idle";
	#connection: Connection | undefined;
	#writer: MessageWriter | undefined;
	#reader = new FrameReader(GREETING_BYTES_MAX);
	#peer: Identity | undefined;
	/** What the peer was told in the greeting. */
	#greetedAs: NodeId | undefined;
	#waiting: Waiting[] = [];
	#waitingBytes = 0;
	#silentTicks = 0;
	/** At the last tick, where something was queued. */
	#sentBytes: number | undefined;
	#backoffMs = BACKOFF_MS_MIN;
	#pause: Timer | undefined;
	/** Somebody asked for this link since it was lost. */
	#wanted = false;
	/** The last attempt, or the connection, has failed, and there was none since. */
	#isLost = false;
	#lastFailure: RpcFailure = "unreachable";
	#lastReason = "not connected";

	constructor(context: LinkContext, address: string) {
		this.#context = context;
		this.address = address;
	}

	/** Undefined while there is no established connection. */
	get peer(): Identity | undefined {
		return this.#state === "open" ? this.#peer : undefined;
	}

	/** Queues a message. Answers why a call was certainly not delivered, or undefined when it is on its way. */
	post(message: Uint8Array, callId: number, to: NodeId | undefined): RpcError | undefined {
		this.#wanted = true;
		if (this.#state === "open") {
			return this.#postOpen(message, to);
		}
		if (this.#state === "closed" || this.#isLost) {
			if (this.#state === "idle") this.#connect();
			// Nobody asks what became of a one-way message, and an error costs more than the rest of it.
			if (callId === 0) return undefined;
			return new RpcError(this.#lastFailure, `${this.address}: ${this.#lastReason}`);
		}
		if (this.#waitingBytes + message.length > QUEUED_BYTES_MAX) {
			return new RpcError("unreachable", `${this.address}: the send queue is full`);
		}
		this.#waiting.push({ message, callId, to });
		this.#waitingBytes += message.length;
		if (this.#state === "idle") this.#connect();
		return undefined;
	}

	/** Every `TICK_MS`. */
	tick(): void {
		if (this.#connection === undefined) return;
		if (this.#takesMore()) this.#silentTicks = 0;
		if (++this.#silentTicks > (this.#isPeerBusy() ? BUSY_TICKS_MAX : SILENT_TICKS_MAX)) {
			this.#lose("unreachable", `silent for ${((this.#silentTicks - 1) * TICK_MS) / 1000} s`);
			return;
		}
		if (this.#state === "open") this.#writer!.push(PING_BYTES);
	}

	/** The peer cannot answer what is still queued here; that it goes on reading is answer enough. */
	#takesMore(): boolean {
		const { queuedBytes, sentBytes } = this.#writer!;
		const before = this.#sentBytes;
		this.#sentBytes = queuedBytes > 0 ? sentBytes : undefined;
		return before !== undefined && sentBytes > before;
	}

	#isPeerBusy(): boolean {
		return this.#state === "open" && this.#context.hears(this.#peer!.bootId);
	}

	/** The peer has just shown that it is there: no need to sit out a pause. */
	retryNow(): void {
		if (this.#state !== "pausing") return;
		this.#pause?.cancel();
		this.#backoffMs = BACKOFF_MS_MIN;
		this.#resumeAfterPause();
	}

	/** The process behind this link is gone, or is not the one that we should talk to. */
	reset(reason: string): void {
		if (this.#connection !== undefined) this.#lose("unreachable", reason);
	}

	/** This node has learnt who it is. */
	sendIdentity(message: Uint8Array): void {
		if (this.#state === "open") this.#writer!.push(message);
	}

	close(): void {
		this.#pause?.cancel();
		this.#lastReason = "this node is shutting down";
		const connection = this.#connection;
		this.#writer?.finish();
		this.#connection = undefined;
		this.#state = "closed";
		this.#failWaiting();
		connection?.end();
	}

	#postOpen(message: Uint8Array, to: NodeId | undefined): RpcError | undefined {
		if (to !== undefined && this.#peer!.nodeId !== to) {
			return new RpcError("unreachable", this.#wrongNode(to));
		}
		if (this.#writer!.queuedBytes + message.length > QUEUED_BYTES_MAX) {
			return new RpcError("unreachable", `${this.address}: the send queue is full`);
		}
		this.#writer!.push(message);
		return undefined;
	}

	#wrongNode(to: NodeId): string {
		const found = this.#peer?.nodeId;
		return `${this.address} is ${found === undefined ? "a node without identity" : `node ${found}`}, not node ${to}`;
	}

	#connect(): void {
		this.#state = "connecting";
		this.#wanted = false;
		this.#context.runtime.network.connect(this.address, CONNECT_TIMEOUT_MS).then(
			(connection) => this.#greet(connection),
			(error: unknown) =>
				this.#lose("unreachable", error instanceof Error ? error.message : String(error)),
		);
	}

	#greet(connection: Connection): void {
		if (this.#state !== "connecting") {
			connection.destroy();
			return;
		}
		this.#state = "greeting";
		this.#connection = connection;
		this.#writer = new MessageWriter(connection, this.#context.runtime.scheduler);
		this.#reader = new FrameReader(GREETING_BYTES_MAX);
		this.#silentTicks = 0;
		this.#sentBytes = undefined;
		connection.onData((bytes) => this.#receive(connection, bytes));
		connection.onClose((error) => {
			if (this.#connection !== connection) return;
			this.#connection = undefined;
			this.#lose("unreachable", error?.message ?? "the peer closed the connection");
		});
		const self = this.#context.identity();
		this.#greetedAs = self.nodeId;
		connection.write(encodeGreeting({ ...self, dialled: this.address }));
	}

	#receive(connection: Connection, bytes: Uint8Array): void {
		if (this.#connection !== connection) return;
		this.#silentTicks = 0;
		try {
			this.#reader.push(bytes, (message) => {
				if (this.#state === "greeting") this.#acceptGreeting(message);
				else this.#dispatch(messages.checkMessage(decodeMessage(message)));
				return this.#connection === connection;
			});
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			this.#context.runtime.logger.log("warn", "closing a connection: bad message", {
				address: this.address,
				reason,
			});
			this.#lose("unreachable", `bad message: ${reason}`);
		}
	}

	#acceptGreeting(message: Uint8Array): void {
		const self = this.#context.identity();
		const result = decodeGreeting(message);
		if (result.kind === "invalid") {
			this.#refuse(result.reason);
			return;
		}
		if (result.kind === "version") {
			this.#refuse(result.refusal ?? versionRefusal(self, this.address, result.version));
			return;
		}
		const refusal = result.greeting.refusal ?? refusalOf(self, result.greeting);
		if (refusal !== undefined) {
			this.#refuse(refusal);
			if (result.greeting.barred === true) this.#context.barred(refusal);
			return;
		}
		this.#state = "open";
		this.#isLost = false;
		this.#peer = result.greeting;
		this.#backoffMs = BACKOFF_MS_MIN;
		this.#reader.sizeBytesMax = MESSAGE_BYTES_MAX;
		// It may have joined while the greeting was under way.
		if (self.nodeId !== this.#greetedAs) {
			this.#writer!.push(encodeMessage([messages.IDENTITY, self.clusterId, self.nodeId]));
		}
		const waiting = this.#waiting;
		this.#waiting = [];
		this.#waitingBytes = 0;
		for (const { message, callId, to } of waiting) {
			if (callId !== 0 && !this.#context.pending.has(callId)) continue;
			const failure = this.#postOpen(message, to);
			if (failure !== undefined && callId !== 0) this.#context.pending.fail(callId, failure);
		}
		this.#context.peerKnown(result.greeting);
	}

	#refuse(reason: string): void {
		this.#context.runtime.logger.log("error", "a node refuses to talk", {
			address: this.address,
			reason,
		});
		this.#backoffMs = BACKOFF_MS_MAX;
		this.#lose("refused", reason);
	}

	#dispatch(message: readonly unknown[]): void {
		const { pending } = this.#context;
		switch (message[0]) {
			case messages.ANSWER:
				pending.settle(messages.checkCallId(message[1]), message[2]);
				return;
			case messages.DATABASE_ERROR:
				this.#context.databaseError(
					messages.checkCallId(message[1]),
					messages.checkErrorData(message[2]),
				);
				return;
			case messages.REFUSAL:
				pending.fail(
					messages.checkCallId(message[1]),
					new RpcError("refused", messages.checkText(message[2], "a refusal")),
				);
				return;
			case messages.PONG:
				return;
			case messages.IDENTITY:
				this.#peer = messages.withIdentity(this.#peer!, message);
				this.#checkPeer();
				return;
			default:
				throw new messages.ProtocolError(`message of unknown kind ${String(message[0])}`);
		}
	}

	/** The peer has learnt who it is: it may be nobody for us. */
	#checkPeer(): void {
		const refusal = refusalOf(this.#context.identity(), this.#peer!);
		if (refusal !== undefined) this.#refuse(refusal);
		else this.#context.peerKnown(this.#peer!);
	}

	/** Ends whatever there is and pauses before the next attempt. */
	#lose(failure: RpcFailure, reason: string): void {
		if (this.#state === "closed") return;
		const lost = this.#state === "open" ? this.#peer : undefined;
		const connection = this.#connection;
		this.#connection = undefined;
		this.#writer?.discard();
		this.#writer = undefined;
		this.#peer = undefined;
		this.#lastFailure = failure;
		this.#lastReason = reason;
		this.#state = "pausing";
		this.#isLost = true;
		connection?.destroy();
		const jitter = 0.5 + this.#context.runtime.random.float() / 2;
		this.#pause = this.#context.runtime.scheduler.setTimer(this.#backoffMs * jitter, () =>
			this.#resumeAfterPause(),
		);
		this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MS_MAX);
		this.#failWaiting();
		if (lost !== undefined) {
			this.#context.pending.loseAllOf(this, reason);
			this.#context.linkLost(this, lost);
		}
	}

	#failWaiting(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		this.#waitingBytes = 0;
		for (const { callId } of waiting) {
			if (callId === 0) continue;
			this.#context.pending.fail(
				callId,
				new RpcError(this.#lastFailure, `${this.address}: ${this.#lastReason}`),
			);
		}
	}

	#resumeAfterPause(): void {
		assert(this.#state === "pausing", "only a pausing link resumes");
		this.#pause = undefined;
		this.#state = "idle";
		if (this.#wanted) this.#connect();
	}
}
