/**
 * Node-to-node messages.
 *
 * Between two nodes there are up to two connections, one for each direction of asking: a node connects to a peer when it
 * first has something for it, sends its calls and one-way messages there, and gets the answers to its calls back on
 * the same connection. After the greetings (`handshake.ts`) a connection carries length-prefixed MessagePack arrays
 * (`messages.ts`, `codec.ts`); all messages of one event-loop tick for one peer leave as one write.
 *
 * - R1. A message is delivered at most once: it leaves on one connection, and never again on another.
 * - R2. Messages to one address, one-way or calls, arrive in the order of sending, with gaps only where a connection broke:
 *   the accepting side closes an earlier connection before it takes anything from a later one.
 * - R3. A call that fails as "unreachable" or "refused" by the greeting certainly reached nobody; after "lost" or
 *   "timeout" the peer may have acted, or may still.
 * - R4. A message for a node is given only to a process that says it is that node. Processes of different clusters, of
 *   different format versions, or with the same node id never exchange a message.
 * - R5. A process that was restarted is another process: when it shows up under a new boot id, connections to the old one
 *   are closed, so that nobody waits for it.
 * - R6. Nothing that a peer sends ends this process. Bytes that make no sense end their connection.
 * - R7. What is queued for a peer is bounded.
 *
 * - R8. Where both ends show certificates (`isSecured`), that of a peer is of the host where it says it listens, and of the host where the
 *   node that it says it is was last known to listen: one node's certificate does not make another of it. Elsewhere a node listens on
 *   the loopback interface only. Who has not greeted may send little, and there are few of them at a time.
 * - R9. Who was removed from the cluster is refused by every node that has heard of it, under its identity as well as under another one
 *   with the certificate that it had, and what connections it has end.
 *
 * May import: runtime (the interfaces), keys.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError, type ErrorData, errorFromData } from "@quorate/keys/database-error";
import type { BootId, ClusterId, NodeId } from "@quorate/keys/ids";
import { isLoopbackHost, parseAddress } from "@quorate/runtime/address";
import type { Listener, Runtime, Timer } from "@quorate/runtime/runtime";
import { encodeMessage, LENGTH_BYTES, MESSAGE_BYTES_MAX } from "./codec.ts";
import { Dispatcher, type Handler } from "./dispatcher.ts";
import type { Greeting, Identity } from "./handshake.ts";
import { InboundConnection, tooLarge } from "./inbound-connection.ts";
import { type LinkContext, TICK_MS } from "./link-context.ts";
import * as messages from "./messages.ts";
import { OutboundLink } from "./outbound-link.ts";
import { PendingCalls } from "./pending-calls.ts";
import {
	type AddressBook,
	type Body,
	type CallOptions,
	type Peer,
	type Pulse,
	type Rpc,
	RpcError,
} from "./types.ts";

export interface RpcOptions {
	readonly runtime: Runtime;
	readonly self: {
		readonly bootId: BootId;
		/** host:port that others reach this node at; by default the one really bound. */
		readonly address?: string;
		/** Both where the node has joined in an earlier life; else `identify` follows. */
		readonly clusterId?: ClusterId;
		readonly nodeId?: NodeId;
	};
	readonly addressBook: AddressBook;
	/** host:port; port 0 asks for a free one. */
	readonly listenAddress: string;
	/** Both ends of each connection show certificates (`Network.secured`): addresses may be others than loopback. */
	readonly isSecured?: boolean;
	/** R9: why a peer is no node of the cluster any more. */
	readonly whyBarred?: (
		node: NodeId | undefined,
		certificate: string | undefined,
	) => string | undefined;
	/** Called when a peer says so of this process. */
	readonly onBarred?: (why: string) => void;
	/** Called with each node that greets, or is greeted: where it says that it listens. */
	readonly onPeer?: (peer: Peer, address: string) => void;
}

/** An `Rpc` that also says where it listens. */
export interface ListeningRpc extends Rpc {
	readonly address: string;
}

/** Rejects with `DatabaseError` F0000 for an address that must not be used, with `code` EADDRINUSE where it is taken. */
export async function createRpc(options: RpcOptions): Promise<ListeningRpc> {
	const parsed = parseAddress(options.listenAddress);
	if (parsed === undefined) {
		throw new DatabaseError("F0000", `"${options.listenAddress}" is not an address`, {
			hint: "Give host:port, for example 127.0.0.1:7700.",
		});
	}
	if (options.isSecured !== true && !isLoopbackHost(parsed.host)) {
		throw new DatabaseError(
			"F0000",
			`node-to-node traffic is not encrypted, so it cannot listen on ${options.listenAddress}`,
			{ hint: "Give --node-cert, --node-key and --node-ca, or use a loopback address." },
		);
	}
	const rpc = new NodeRpc(options);
	await rpc.listen(options.listenAddress);
	return rpc;
}

/** Connections that have not greeted yet: they cost a descriptor each, until they are found to be silent. */
const strangersMax = 64;

class NodeRpc implements ListeningRpc {
	readonly #options: RpcOptions;
	readonly #runtime: Runtime;
	readonly #dispatcher: Dispatcher;
	readonly #pending: PendingCalls;
	readonly #context: LinkContext;
	/** By address, kept for good: addresses of nodes are few. */
	readonly #links = new Map<string, OutboundLink>();
	readonly #inbound = new Set<InboundConnection>();
	readonly #disconnectListeners: ((node: NodeId) => void)[] = [];
	#identity: Identity;
	#listener: Listener | undefined;
	#ticker: Timer | undefined;
	#closed = false;

	constructor(options: RpcOptions) {
		const { runtime, self } = options;
		assert(
			(self.clusterId === undefined) === (self.nodeId === undefined),
			"a node has a cluster id and a node id, or neither",
		);
		this.#options = options;
		this.#runtime = runtime;
		this.#dispatcher = new Dispatcher(runtime);
		this.#pending = new PendingCalls(runtime.clock, runtime.scheduler);
		this.#identity = {
			bootId: self.bootId,
			clusterId: self.clusterId,
			nodeId: self.nodeId,
			address: self.address ?? options.listenAddress,
		};
		this.#context = {
			runtime,
			dispatcher: this.#dispatcher,
			pending: this.#pending,
			identity: () => this.#identity,
			knownAddress: (node) => options.addressBook.addressOf(node),
			whyBarred: (node, certificate) => options.whyBarred?.(node, certificate),
			barred: (why) => options.onBarred?.(why),
			hears: (boot) => this.pulseOf(boot)?.isHeard === true,
			peerKnown: (peer) => this.#peerKnown(peer),
			linkLost: (_link, peer) => this.#disconnected(peer),
			superseded: (by, greeting) => this.#superseded(by, greeting),
			inboundClosed: (connection) => this.#inboundClosed(connection),
			databaseError: (callId, data) => this.#databaseError(callId, data),
		};
	}

	async listen(address: string): Promise<void> {
		this.#listener = await this.#runtime.network.listen(address, (connection) => {
			if (this.#closed || this.#strangers >= strangersMax) connection.destroy();
			else this.#inbound.add(new InboundConnection(this.#context, connection));
		});
		if (this.#options.self.address === undefined) {
			this.#identity = { ...this.#identity, address: this.#listener.address };
		}
		this.#armTicker();
	}

	get address(): string {
		return this.#identity.address;
	}

	/** Who has connected and not greeted. */
	get #strangers(): number {
		let count = 0;
		for (const { identity } of this.#inbound) if (identity === undefined) count++;
		return count;
	}

	identify(self: { readonly clusterId: ClusterId; readonly nodeId: NodeId }): void {
		const { clusterId, nodeId } = this.#identity;
		if (clusterId === self.clusterId && nodeId === self.nodeId) return;
		assert(clusterId === undefined && nodeId === undefined, "a node's identity is set once");
		this.#identity = { ...this.#identity, ...self };
		const message = encodeMessage([messages.IDENTITY, self.clusterId, self.nodeId]);
		for (const link of this.#links.values()) link.sendIdentity(message);
		for (const connection of this.#inbound) connection.sendIdentity(message);
	}

	call(to: NodeId, method: string, body: Body, options: CallOptions): Promise<Body> {
		if (to === this.#identity.nodeId) return this.#callSelf(method, body, options);
		const address = this.#options.addressBook.addressOf(to);
		if (address === undefined) {
			return Promise.reject(
				new RpcError("unreachable", `${method} to node ${to}: its address is not known`),
			);
		}
		return this.#callRemote(address, to, method, body, options);
	}

	callAddress(address: string, method: string, body: Body, options: CallOptions): Promise<Body> {
		if (address === this.#identity.address) return this.#callSelf(method, body, options);
		return this.#callRemote(address, undefined, method, body, options);
	}

	send(to: NodeId, method: string, body: Body): void {
		if (this.#closed) return;
		if (to === this.#identity.nodeId) {
			this.#runtime.scheduler.defer(() => this.#dispatcher.send(method, body, this.#self()));
			return;
		}
		const address = this.#options.addressBook.addressOf(to);
		if (address === undefined) return;
		const message = encodeMessage([messages.SEND, method, body]);
		if (message.length - LENGTH_BYTES > MESSAGE_BYTES_MAX) {
			this.#runtime.logger.log("error", "a message is too large to be sent", {
				method,
				sizeBytes: message.length,
			});
			return;
		}
		this.#linkTo(address).post(message, 0, to);
	}

	handle(method: string, handler: Handler): void {
		this.#dispatcher.handle(method, handler);
	}

	pulseOf(boot: BootId): Pulse | undefined {
		let found: Pulse | undefined;
		for (const { identity, pulse } of this.#inbound) {
			if (identity?.bootId === boot && pulse.pings >= (found?.pings ?? 0)) found = pulse;
		}
		return found;
	}

	onDisconnect(listener: (node: NodeId) => void): void {
		this.#disconnectListeners.push(listener);
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#ticker?.cancel();
		for (const link of this.#links.values()) link.close();
		for (const connection of [...this.#inbound]) connection.close();
		this.#pending.close("this node is shutting down");
		await this.#listener?.close();
	}

	#self(): Peer | undefined {
		const { nodeId, bootId } = this.#identity;
		return nodeId === undefined ? undefined : { nodeId, bootId };
	}

	/** Without a copy: who calls its own node must not change the body afterwards. */
	#callSelf(method: string, body: Body, options: CallOptions): Promise<Body> {
		if (this.#closed) return Promise.reject(this.#shuttingDown(method));
		const id = this.#pending.nextId();
		this.#runtime.scheduler.defer(() => {
			if (!this.#pending.has(id)) return;
			this.#dispatcher.call(method, body, this.#self(), (outcome) => {
				if (outcome.kind === "answer") this.#pending.settle(id, outcome.body);
				else if (outcome.kind === "databaseError") this.#pending.fail(id, outcome.error);
				else this.#pending.fail(id, new RpcError("refused", outcome.message));
			});
		});
		return this.#pending.add(id, options.timeoutMs, {
			method,
			target: "this node",
			link: undefined,
		});
	}

	#callRemote(
		address: string,
		to: NodeId | undefined,
		method: string,
		body: Body,
		options: CallOptions,
	): Promise<Body> {
		if (this.#closed) return Promise.reject(this.#shuttingDown(method));
		const id = this.#pending.nextId();
		const message = encodeMessage([messages.CALL, id, method, body]);
		if (message.length - LENGTH_BYTES > MESSAGE_BYTES_MAX) {
			return Promise.reject(tooLarge(method, message.length));
		}
		const link = this.#linkTo(address);
		const failure = link.post(message, id, to);
		if (failure !== undefined) return Promise.reject(failure);
		return this.#pending.add(id, options.timeoutMs, {
			method,
			target: to === undefined ? address : `node ${to}`,
			link,
		});
	}

	#shuttingDown(method: string): RpcError {
		return new RpcError("unreachable", `${method}: this node is shutting down`);
	}

	#linkTo(address: string): OutboundLink {
		let link = this.#links.get(address);
		if (link === undefined) {
			link = new OutboundLink(this.#context, address);
			this.#links.set(address, link);
		}
		return link;
	}

	#peerKnown(peer: Identity): void {
		const { nodeId, bootId, address } = peer;
		if (nodeId !== undefined) {
			for (const link of this.#links.values()) {
				if (link.peer?.nodeId === nodeId && link.peer.bootId !== bootId) {
					link.reset(`node ${nodeId} was restarted`);
				}
			}
			for (const connection of [...this.#inbound]) {
				const other = connection.identity;
				if (other?.nodeId === nodeId && other.bootId !== bootId) connection.destroy();
			}
			this.#options.onPeer?.({ nodeId, bootId }, address);
		}
		this.#links.get(address)?.retryNow();
	}

	#superseded(by: InboundConnection, greeting: Greeting): void {
		for (const connection of [...this.#inbound]) {
			if (connection !== by && connection.isSupersededBy(greeting)) connection.destroy();
		}
	}

	#inboundClosed(connection: InboundConnection): void {
		const { identity } = connection;
		if (this.#inbound.delete(connection) && identity !== undefined) this.#disconnected(identity);
	}

	#disconnected(peer: Identity): void {
		if (peer.nodeId === undefined || this.#closed) return;
		for (const listener of this.#disconnectListeners) listener(peer.nodeId);
	}

	#databaseError(callId: number, data: ErrorData): void {
		this.#pending.fail(callId, errorFromData(data));
	}

	#armTicker(): void {
		if (this.#closed) return;
		this.#ticker = this.#runtime.scheduler.setTimer(TICK_MS, () => {
			for (const link of this.#links.values()) link.tick();
			for (const connection of [...this.#inbound]) connection.tick();
			this.#armTicker();
		});
	}
}
