/**
 * What plain sockets read. By itself Node sets 64 KiB aside for each read, of which a message takes a hundred bytes: so large a block is
 * mapped and unmapped again, each time, and what is left of it is a block of the allocator's own. All sockets read into one buffer
 * instead, and what came is copied out of it at once.
 */
import { Socket, type SocketConstructorOpts } from "node:net";

const readBytesMax = 64 << 10;
const shared = Buffer.allocUnsafeSlow(readBytesMax);

/** Of one socket. */
export class SocketReads {
	#take: ((bytes: Uint8Array) => void) | undefined;
	/** What came before there was anybody to take it: one read, after which the socket waits to be resumed. */
	#early: Uint8Array | undefined;
	/** What the socket is made with. */
	readonly onread = {
		buffer: shared,
		callback: (length: number): boolean => {
			const bytes = Buffer.from(shared.subarray(0, length));
			if (this.#take === undefined) {
				this.#early = bytes;
				return false;
			}
			this.#take(bytes);
			return true;
		},
	};

	/** The socket is to be resumed then. */
	takenBy(take: (bytes: Uint8Array) => void): void {
		this.#take = take;
		const early = this.#early;
		this.#early = undefined;
		// Before anything that is read from now on.
		if (early !== undefined) process.nextTick(take, early);
	}
}

/**
 * A socket that a server has accepted, and that has read nothing, as one that reads like this. Only who makes a socket can say how it
 * reads, and Node's server makes its own: so another one is made around what it stands for.
 */
export function acceptedAs(accepted: Socket, reads: SocketReads, highWaterMark: number): Socket {
	const held = accepted as unknown as { _handle: unknown };
	const handle = held._handle;
	held._handle = null;
	// Without its handle nothing ends with it but the server's count of connections.
	accepted.destroy();
	// The handle is not in the types.
	const options = { handle, highWaterMark, onread: reads.onread };
	return new Socket(options as SocketConstructorOpts);
}
