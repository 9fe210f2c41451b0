/**
 * Where there cannot be namespaces: all nodes are on 127.0.0.1, and a proxy of this process stands between each and each other one, so
 * that one direction of one pair of nodes can be cut. What was under way when a link was cut arrives when it is healed, as with TCP.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePortBase } from "quorate/testing/free-ports";
import type { Link, Network, NodePlace } from "./network.ts";

const host = "127.0.0.1";
const slowMs = 40;

class Pipe {
	readonly #from: Socket;
	readonly #to: Socket;
	readonly #waiting: Buffer[] = [];
	isCut = false;
	isSlow = false;
	#ended = false;
	/** Slow bytes that are under way: nothing may overtake them. */
	#late = 0;

	constructor(from: Socket, to: Socket) {
		this.#from = from;
		this.#to = to;
		from.on("data", (bytes: Buffer) => this.#take(bytes));
		from.on("close", () => {
			this.#ended = true;
			this.flush();
		});
		from.on("error", () => undefined);
	}

	flush(): void {
		if (this.isCut) return;
		if (this.isSlow || this.#late > 0) {
			this.#late++;
			setTimeout(() => {
				this.#late--;
				this.#deliver();
			}, slowMs);
		} else this.#deliver();
	}

	#take(bytes: Buffer): void {
		this.#waiting.push(bytes);
		if (this.isCut) this.#from.pause();
		this.flush();
	}

	#deliver(): void {
		if (this.isCut) return;
		for (const bytes of this.#waiting.splice(0)) this.#to.write(bytes);
		if (this.#ended) this.#to.destroy();
		else this.#from.resume();
	}
}

/** From one node to another: connections that the one opens. */
class LinkProxy {
	readonly #server: Server;
	readonly #pipes = new Set<readonly [Pipe, Pipe]>();
	readonly #sockets = new Set<Socket>();
	#isCut: readonly [boolean, boolean] = [false, false];
	#isSlow = false;

	constructor(port: number, target: number) {
		this.#server = createServer({ pauseOnConnect: false }, (near) => this.#accept(near, target));
		this.#server.listen(port, host);
	}

	/** Forth: what the opener sends; back: what it is answered. */
	set(forth: boolean, back: boolean, isSlow: boolean): void {
		this.#isCut = [forth, back];
		this.#isSlow = isSlow;
		for (const pipes of this.#pipes) this.#apply(pipes);
	}

	close(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#accept(near: Socket, target: number): void {
		const far = connect({ host, port: target, noDelay: true });
		near.setNoDelay(true);
		const pipes = [new Pipe(near, far), new Pipe(far, near)] as const;
		this.#pipes.add(pipes);
		for (const socket of [near, far]) {
			this.#sockets.add(socket);
			socket.on("close", () => {
				this.#sockets.delete(socket);
				if (!this.#sockets.has(near) && !this.#sockets.has(far)) this.#pipes.delete(pipes);
			});
		}
		this.#apply(pipes);
	}

	#apply(pipes: readonly [Pipe, Pipe]): void {
		for (const [i, pipe] of pipes.entries()) {
			pipe.isCut = this.#isCut[i]!;
			pipe.isSlow = this.#isSlow;
			pipe.flush();
		}
	}
}

export class ProxyNetwork implements Network {
	readonly kind = "TCP proxies";
	readonly places: readonly NodePlace[];
	readonly #proxies: readonly (readonly [Link, LinkProxy])[];
	#cut: readonly Link[] = [];
	#slow: readonly number[] = [];

	private constructor(
		places: readonly NodePlace[],
		proxies: readonly (readonly [Link, LinkProxy])[],
	) {
		this.places = places;
		this.#proxies = proxies;
	}

	static async make(nodeCount: number): Promise<ProxyNetwork> {
		const base = (await freePortBase(nodeCount * (3 + nodeCount))) + 1;
		const peerPort = (node: number) => base + 3 * node + 1;
		const proxyPort = (from: number, to: number) => base + 3 * nodeCount + from * nodeCount + to;
		const nodes = [...Array(nodeCount).keys()];
		const proxies: (readonly [Link, LinkProxy])[] = [];
		const places = nodes.map((from): NodePlace => {
			const via: Record<string, string> = {};
			for (const to of nodes.filter((node) => node !== from)) {
				proxies.push([[from, to], new LinkProxy(proxyPort(from, to), peerPort(to))]);
				via[`${host}:${peerPort(to)}`] = `${host}:${proxyPort(from, to)}`;
			}
			const sqlPort = base + 3 * from;
			return { host, sqlPort, peerPort: sqlPort + 1, adminPort: sqlPort + 2, wrap: [], via };
		});
		return new ProxyNetwork(places, proxies);
	}

	cut(links: readonly Link[]): void {
		this.#cut = links;
		this.#apply();
	}

	slow(nodes: readonly number[]): string {
		this.#slow = nodes;
		this.#apply();
		return `${slowMs} ms`;
	}

	heal(): void {
		this.#slow = [];
		this.cut([]);
	}

	close(): void {
		for (const [, proxy] of this.#proxies) proxy.close();
	}

	#apply(): void {
		const isCut = (a: number, b: number) => this.#cut.some(([x, y]) => x === a && y === b);
		for (const [[from, to], proxy] of this.#proxies) {
			const isSlow = this.#slow.includes(from) || this.#slow.includes(to);
			proxy.set(isCut(from, to), isCut(to, from), isSlow);
		}
	}
}
