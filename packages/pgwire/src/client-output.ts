/**
 * The sending side of a connection: what was written leaves in one piece at the end of an event-loop turn, earlier if
 * it is much, and whoever produces it is told to wait while the client does not read.
 */
import type { DatabaseError } from "@quorate/keys/database-error";
import type { Connection, Scheduler } from "@quorate/runtime/runtime";
import { MessageWriter } from "./message-writer.ts";

export class ClientOutput {
	readonly writer = new MessageWriter();
	readonly #connection: Connection;
	readonly #scheduler: Scheduler;
	readonly #chunkBytes: number;
	/** Something was written that the client waits for. */
	#wanted = false;
	#queued = false;
	/** Why nothing can be sent any more. */
	#closed: DatabaseError | undefined;
	/** While the socket's queue is full. */
	#congestion: Promise<void> | undefined;
	#endCongestion: { resolve(): void; reject(error: DatabaseError): void } | undefined;

	constructor(connection: Connection, scheduler: Scheduler, chunkBytes: number) {
		this.#connection = connection;
		this.#scheduler = scheduler;
		this.#chunkBytes = chunkBytes;
		connection.onDrain(() => this.#drained());
	}

	get wanted(): boolean {
		return this.#wanted;
	}

	/** Resolves when the client has caught up; rejects when it goes. */
	get congestion(): Promise<void> | undefined {
		return this.#congestion;
	}

	/** `deferred`: nobody will call `flush` when this turn's messages have been handled. */
	want(deferred: boolean): void {
		this.#wanted = true;
		if (deferred && !this.#queued) {
			this.#queued = true;
			this.#scheduler.defer(() => {
				this.#queued = false;
				this.flush();
			}, "send");
		}
	}

	flush(): void {
		this.#wanted = false;
		const bytes = this.writer.take();
		if (bytes === undefined || this.#closed !== undefined) {
			return;
		}
		if (!this.#connection.write(bytes) && this.#congestion === undefined) {
			this.#congestion = new Promise((resolve, reject) => {
				this.#endCongestion = { resolve, reject };
			});
			// Not everybody who writes waits for it.
			this.#congestion.catch(() => undefined);
		}
	}

	/** Hands over what is pending if it is much. Throws once the client has gone. */
	relieve(): void {
		if (this.writer.pendingBytes >= this.#chunkBytes) {
			if (this.#closed !== undefined) {
				throw this.#closed;
			}
			this.flush();
		}
	}

	/** Nothing is sent any more; who waits for the client is told. */
	close(reason: DatabaseError): void {
		this.#closed ??= reason;
		this.#congestion = undefined;
		this.#endCongestion?.reject(reason);
		this.#endCongestion = undefined;
	}

	#drained(): void {
		this.#congestion = undefined;
		this.#endCongestion?.resolve();
		this.#endCongestion = undefined;
	}
}
