/**
 * RPC between `TestProcess`es: random delays, so messages overtake each other; lost with the
 * process that has them.
 */
import { bootId, type NodeId } from "@quorate/keys/ids";
import {
	type AddressBook,
	type Body,
	type CallOptions,
	type Peer,
	type Rpc,
	RpcError,
} from "@quorate/rpc/types";
import type { TestProcess } from "./test-world.ts";

type Handler = (body: Body, from: Peer | undefined) => Body | Promise<Body>;

const rpcs = new WeakMap<TestProcess, TestRpc>();

export class TestRpc implements Rpc {
	readonly #process: TestProcess;
	readonly #book: AddressBook;
	readonly #handlers = new Map<string, Handler>();
	#self: NodeId | undefined;
	/** Addresses that messages do not reach. */
	readonly cut = new Set<string>();

	constructor(process: TestProcess, book: AddressBook) {
		this.#process = process;
		this.#book = book;
		rpcs.set(process, this);
	}

	identify(self: { readonly nodeId: NodeId }): void {
		this.#self = self.nodeId;
	}

	call(to: NodeId, method: string, body: Body, options: CallOptions): Promise<Body> {
		const address = to === this.#self ? this.#process.address : this.#book.addressOf(to);
		return address === undefined
			? Promise.reject(new RpcError("unreachable", `no address of node ${to}`))
			: this.callAddress(address, method, body, options);
	}

	callAddress(address: string, method: string, body: Body, options: CallOptions): Promise<Body> {
		const { world } = this.#process;
		const sent = structuredClone(body);
		return new Promise((resolve, reject) => {
			const fail = (failure: "unreachable" | "lost" | "timeout" | "refused", message: string) => {
				timer.cancel();
				reject(new RpcError(failure, message));
			};
			const timer = world.at(world.nowMs + options.timeoutMs, this.#process, () =>
				fail("timeout", method),
			);
			world.at(world.nowMs + world.delayMs(), undefined, () => {
				const target = world.listening.get(address);
				if (target === undefined || this.cut.has(address)) {
					this.#back(() => fail("unreachable", address));
					return;
				}
				world.at(world.nowMs, target, () => {
					this.#serve(target, method, sent).then(
						(answer) => {
							timer.cancel();
							resolve(answer);
						},
						(error) => fail("refused", String(error)),
					);
				});
			});
		});
	}

	send(to: NodeId, method: string, body: Body): void {
		this.call(to, method, body, { timeoutMs: 1000 }).catch(() => undefined);
	}

	handle(method: string, handler: Handler): void {
		this.#handlers.set(method, handler);
	}

	pulseOf(): undefined {}

	onDisconnect(): void {}

	async close(): Promise<void> {}

	/** The answer, after it has travelled back. */
	async #serve(target: TestProcess, method: string, body: Body): Promise<Body> {
		const handler = rpcs.get(target)?.handler(method);
		if (handler === undefined) {
			throw new Error(`no handler of ${method}`);
		}
		const from = this.#self === undefined ? undefined : this.#peer(this.#self);
		const answer = structuredClone(await handler(body, from));
		return new Promise((resolve) => this.#back(() => resolve(answer)));
	}

	handler(method: string): Handler | undefined {
		return this.#handlers.get(method);
	}

	#peer(node: NodeId): Peer {
		return { nodeId: node, bootId: bootId("") };
	}

	#back(deliver: () => void): void {
		const { world } = this.#process;
		world.at(world.nowMs + world.delayMs(), this.#process, deliver);
	}
}
