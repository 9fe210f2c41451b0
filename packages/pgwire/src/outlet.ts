/** What the message handlers need of the connection that they speak through. */
import type { MessageReader } from "./message-reader.ts";
import type { MessageWriter } from "./message-writer.ts";

export interface Outlet {
	readonly writer: MessageWriter;
	readonly reader: MessageReader;
	/** What is pending reaches the socket before the event loop turns, together with what follows until then. */
	flushSoon(): void;
	/** Hands over what is pending if it is much. Throws when the client has gone. */
	relieve(): void;
	/** A promise while the client does not keep up; rejects when it goes. */
	congestion(): Promise<void> | undefined;
	/** Resolves when more bytes have come; rejects when the client goes or `interrupt` is called. */
	moreInput(): Promise<void>;
}
