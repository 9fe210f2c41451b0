/**
 * The sending side of one connection: all messages of an event-loop tick leave as one write. What does not leave
 * piles up here and in the connection; `queuedBytes` is what the bounds of the queue are about.
 */
import type { Connection, Scheduler } from "@quorate/runtime/runtime";

/** Larger batches are not copied together: the copy would cost more than the second write. */
const JOINED_BYTES_MAX = 256 * 1024;

export class MessageWriter {
	readonly #connection: Connection;
	readonly #scheduler: Scheduler;
	readonly #flushTask = (): void => this.#flush();
	#batch: Uint8Array[] = [];
	#batchBytes = 0;
	#pushedBytes = 0;
	#closed = false;

	constructor(connection: Connection, scheduler: Scheduler) {
		this.#connection = connection;
		this.#scheduler = scheduler;
	}

	get queuedBytes(): number {
		return this.#batchBytes + this.#connection.bufferedBytes;
	}

	/** What has left this process so far. */
	get sentBytes(): number {
		return this.#pushedBytes - this.queuedBytes;
	}

	push(message: Uint8Array): void {
		if (this.#closed) return;
		if (this.#batch.length === 0) this.#scheduler.defer(this.#flushTask, "send");
		this.#batch.push(message);
		this.#batchBytes += message.length;
		this.#pushedBytes += message.length;
	}

	/** What was pushed in this tick leaves now; later messages are dropped. */
	finish(): void {
		this.#flush();
		this.#closed = true;
	}

	discard(): void {
		this.#closed = true;
		this.#batch = [];
		this.#batchBytes = 0;
	}

	#flush(): void {
		const batch = this.#batch;
		const batchBytes = this.#batchBytes;
		if (batch.length === 0) return;
		this.#batch = [];
		this.#batchBytes = 0;
		if (batch.length === 1) this.#connection.write(batch[0]!);
		else if (batchBytes <= JOINED_BYTES_MAX) {
			this.#connection.write(Buffer.concat(batch, batchBytes));
		} else for (const message of batch) this.#connection.write(message);
	}
}
