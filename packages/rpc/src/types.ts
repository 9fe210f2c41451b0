/** Node-to-node messages: what the layers above see. One connection a direction and peer; frames are batched by event-loop tick. */
import type { BootId, ClusterId, NodeId } from "@quorate/keys/ids";

/** Anything that the codec carries: null, booleans, numbers, strings, Uint8Array, arrays, plain objects. No undefined at top level. */
export type Body = unknown;

export interface Peer {
	readonly nodeId: NodeId;
	readonly bootId: BootId;
}

export interface CallOptions {
	/** The promise rejects with `RpcError` "timeout" after this; the peer may still act on it. */
	readonly timeoutMs: number;
}

/**
 * `unreachable`: certainly not delivered (no connection). `lost`: sent, the connection broke before the answer: may have been acted
 * on. `timeout`: likewise. `refused`: the peer's handler failed in another way than with a `DatabaseError` (its message), or the
 * peer does not talk to us at all: another cluster, another format version (then nothing was delivered).
 */
export type RpcFailure = "unreachable" | "lost" | "timeout" | "refused";

export class RpcError extends Error {
	override readonly name = "RpcError";
	readonly failure: RpcFailure;
	constructor(failure: RpcFailure, message: string) {
		super(message);
		this.failure = failure;
	}
}

/** Where nodes listen. Filled from the registry and from handshakes. */
export interface AddressBook {
	/** host:port of node-to-node traffic, or undefined while unknown. */
	addressOf(node: NodeId): string | undefined;
}

/** What shows that a process lives which has a connection to this node. */
export interface Pulse {
	/** Pings that were read, of which it sends one each 500 ms of its own time, in order with its other messages. */
	readonly pings: number;
	/** Something of it was read in the last second, be it a part of what it sent long ago. */
	readonly isHeard: boolean;
}

export interface Rpc {
	/** This node's identity; set once it is known (founding, joining). Before that only calls by address work. */
	identify(self: { readonly clusterId: ClusterId; readonly nodeId: NodeId }): void;
	/** A request with one answer. Delivered at most once. A call to this node itself is answered in process, after a deferred tick. */
	call(to: NodeId, method: string, body: Body, options: CallOptions): Promise<Body>;
	/** The same to a node whose id is not known yet (joining). */
	callAddress(address: string, method: string, body: Body, options: CallOptions): Promise<Body>;
	/** One way, at most once, in order with other messages to that node; dropped while there is no connection or its queue is full. */
	send(to: NodeId, method: string, body: Body): void;
	/**
	 * Registers the handler of a method. A returned value or promise answers a `call`; it is ignored for a `send`.
	 * `from` is undefined for a peer that has no identity yet.
	 */
	handle(
		method: string,
		handler: (body: Body, from: Peer | undefined) => Body | Promise<Body>,
	): void;
	/** Undefined: it has no connection to this node. */
	pulseOf(boot: BootId): Pulse | undefined;
	/**
	 * Called when a connection to or from a node is lost, after all that came by it: the node may have sent something that never
	 * arrives.
	 */
	onDisconnect(listener: (node: NodeId) => void): void;
	close(): Promise<void>;
}
