/**
 * COPY FROM STDIN: while a statement iterates over this, the messages of the connection are its data.
 * Flush and Sync in between are ignored, as the protocol demands; anything else that is no copy message ends
 * the connection. If the statement stops early, what still comes is dropped by the ordinary message loop.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { MessageBody } from "./message-body.ts";
import { frontend } from "./messages.ts";
import type { Outlet } from "./outlet.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

const finished: IteratorResult<Uint8Array> = { done: true, value: undefined };

export class CopyIn implements AsyncIterableIterator<Uint8Array> {
	readonly #outlet: Outlet;
	/** Told of what must end the connection, in case the statement does not pass the error on. */
	readonly #onViolation: (violation: ProtocolViolation) => void;
	#done = false;

	constructor(outlet: Outlet, onViolation: (violation: ProtocolViolation) => void) {
		this.#outlet = outlet;
		this.#onViolation = onViolation;
	}

	[Symbol.asyncIterator](): this {
		return this;
	}

	async next(): Promise<IteratorResult<Uint8Array>> {
		while (!this.#done) {
			const chunk = this.#nextMessage();
			if (chunk !== undefined) {
				return { done: false, value: chunk };
			}
			if (!this.#done) {
				await this.#outlet.moreInput();
			}
		}
		return finished;
	}

	async return(): Promise<IteratorResult<Uint8Array>> {
		this.#done = true;
		return finished;
	}

	/** Data, or undefined when there is no whole message or the last one was CopyDone. */
	#nextMessage(): Uint8Array | undefined {
		try {
			return this.#readMessage();
		} catch (error) {
			this.#done = true;
			if (error instanceof ProtocolViolation) {
				this.#onViolation(error);
			}
			throw error;
		}
	}

	#readMessage(): Uint8Array | undefined {
		const reader = this.#outlet.reader;
		while (reader.next()) {
			switch (reader.type) {
				case frontend.copyData:
					return reader.buffer.subarray(reader.start, reader.end);
				case frontend.copyDone:
					this.#done = true;
					return undefined;
				case frontend.copyFail: {
					const body = new MessageBody();
					body.reset(reader.buffer, reader.start, reader.end);
					throw new DatabaseError("57014", `COPY from stdin failed: ${body.string()}`);
				}
				case frontend.flush:
				case frontend.sync:
					break;
				default: {
					const shown = reader.type.toString(16).toUpperCase().padStart(2, "0");
					throw new ProtocolViolation(`unexpected message type 0x${shown} during COPY from stdin`);
				}
			}
		}
		return undefined;
	}
}
