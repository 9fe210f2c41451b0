/**
 * The network between machines. Connections are ordered streams as TCP gives them, so loss shows as delay, and a
 * partition as silence that ends in a timeout or, when it heals in time, in a burst. Every ordered pair of machines
 * has a link of its own: faults can hit one direction only.
 */
import { formatAddress, parseAddress } from "@quorate/runtime/address";
import type { Connection, Listener, Network } from "@quorate/runtime/runtime";
import { codedError } from "./coded-error.ts";
import { EVENT_NETWORK } from "./event-queue.ts";
import type { CrashKind, Machine } from "./machine.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { connectPair, type SimConnection } from "./sim-connection.ts";
import { Link } from "./sim-link.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

export interface NetworkOptions {
	/** One way: at least this, and an exponential part with this mean on top. */
	readonly latencyMsMin: number;
	readonly latencyMsMean: number;
	/** Share of segments that have to be sent again, and how long until they are. */
	readonly lossRate: number;
	readonly retransmitMs: number;
	readonly bytesPerMs: number;
	/** Share of segments that the receiver gets in two pieces. */
	readonly splitRate: number;
	/** After this long without getting through the sender's kernel gives a connection up. */
	readonly tcpTimeoutMs: number;
}

export const NETWORK_DEFAULTS: NetworkOptions = {
	latencyMsMin: 0.05,
	latencyMsMean: 0.2,
	lossRate: 0,
	retransmitMs: 200,
	bytesPerMs: 1_000_000,
	splitRate: 0.02,
	tcpTimeoutMs: 10_000,
};

const LOCAL_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "0.0.0.0", "::1"]);
const EPHEMERAL_PORT_FIRST = 32768;
const EPHEMERAL_PORT_COUNT = 28000;

interface ListeningSocket {
	readonly process: SimProcess;
	readonly onConnection: (connection: Connection) => void;
}

export class SimNetwork {
	readonly options: NetworkOptions;
	readonly random: SeededRandom;
	readonly #world: World;
	readonly #listeners = new Map<string, ListeningSocket>();
	readonly #links = new Map<number, Link>();
	/** Open ends by process, in order of opening. */
	readonly #ends = new Map<SimProcess, Set<SimConnection>>();
	/** The latest connection, by machine and the address that it has reached: its connecting and its accepting end. */
	readonly #latest = new Map<string, readonly [SimConnection, SimConnection]>();
	#portCounter = 0;

	constructor(world: World, options: NetworkOptions) {
		this.#world = world;
		this.options = options;
		this.random = world.random("network");
	}

	/** The link that carries bytes from one machine to another. Its fields may be set to make it slow or lossy. */
	link(from: Machine, to: Machine): Link {
		const key = from.id * 65536 + to.id;
		let link = this.#links.get(key);
		if (link === undefined) {
			link = new Link(this.#world, this, from, to);
			this.#links.set(key, link);
		}
		return link;
	}

	/** Nothing gets from one to the other any more; with `both` neither back. */
	block(from: Machine, to: Machine, both = false): void {
		if (from !== to) {
			this.#world.count(both ? "partition" : "one-way-partition");
			this.link(from, to).setBlocked(true);
			if (both) this.link(to, from).setBlocked(true);
		}
	}

	/** Cuts the two groups apart. */
	partition(side: readonly Machine[], other: readonly Machine[]): void {
		for (const a of side) for (const b of other) this.block(a, b, true);
	}

	/** Every link works as the options say again. */
	heal(): void {
		for (const link of this.#links.values()) link.restore();
	}

	/** Breaks the ends at one machine of all connections between the two; the other ends go on hearing what was sent, later. */
	resetOneSide(machine: Machine, other: Machine, delayMs: number): void {
		for (const [process, ends] of this.#ends) {
			if (process.machine !== machine) continue;
			for (const end of [...ends]) {
				if (end.remoteMachine !== other) continue;
				this.#world.count("one-sided-reset");
				end.breakHere(delayMs);
			}
		}
	}

	/** Breaks all connections between two machines: both ends see a reset. */
	reset(a: Machine, b: Machine): void {
		for (const [process, ends] of this.#ends) {
			if (process.machine !== a && process.machine !== b) continue;
			for (const end of [...ends]) {
				const other = end.remoteMachine;
				if ((process.machine === a && other === b) || (process.machine === b && other === a)) {
					this.#world.count("reset");
					end.breakOff();
				}
			}
		}
	}

	forProcess(process: SimProcess): Network {
		return {
			listen: (address, onConnection) => this.#listen(process, address, onConnection),
			connect: (address, timeoutMs) => this.#connect(process, address, timeoutMs),
		};
	}

	processEnded(process: SimProcess, kind: CrashKind): void {
		for (const [key, listener] of this.#listeners) {
			if (listener.process === process) this.#listeners.delete(key);
		}
		const ends = this.#ends.get(process);
		this.#ends.delete(process);
		for (const end of ends ?? []) end.processEnded(kind);
	}

	/** The kernel of a machine that comes back answers for connections that it does not know. */
	machineUp(machine: Machine): void {
		for (const link of this.#links.values()) if (link.to === machine) link.release();
	}

	ended(end: SimConnection): void {
		this.#ends.get(end.process)?.delete(end);
	}

	#resolve(address: string, from: Machine): { machine: Machine; port: number } | undefined {
		const parsed = parseAddress(address);
		if (parsed === undefined) return undefined;
		if (LOCAL_HOSTS.has(parsed.host) || parsed.host === from.host) {
			return { machine: from, port: parsed.port };
		}
		const machine = this.#world.machines.find((m) => m.host === parsed.host);
		return machine && { machine, port: parsed.port };
	}

	#nextPort(): number {
		return EPHEMERAL_PORT_FIRST + (this.#portCounter++ % EPHEMERAL_PORT_COUNT);
	}

	#listen(
		process: SimProcess,
		address: string,
		onConnection: (connection: Connection) => void,
	): Promise<Listener> {
		const target = this.#resolve(address, process.machine);
		if (target?.machine !== process.machine) {
			return Promise.reject(codedError("EADDRNOTAVAIL", `cannot listen on ${address}`));
		}
		const port = target.port === 0 ? this.#nextPort() : target.port;
		const bound = formatAddress(process.machine.host, port);
		if (this.#listeners.has(bound)) {
			return Promise.reject(codedError("EADDRINUSE", `address already in use ${bound}`));
		}
		if (process.alive) this.#listeners.set(bound, { process, onConnection });
		return Promise.resolve({
			address: bound,
			close: () => {
				if (this.#listeners.get(bound)?.process === process) this.#listeners.delete(bound);
				return Promise.resolve();
			},
		});
	}

	#connect(process: SimProcess, address: string, timeoutMs: number): Promise<Connection> {
		const target = this.#resolve(address, process.machine);
		if (target === undefined) {
			return Promise.reject(codedError("ENOTFOUND", `no such host: ${address}`));
		}
		const there = this.link(process.machine, target.machine);
		const back = this.link(target.machine, process.machine);
		return new Promise((resolve, reject) => {
			let over = false;
			const { clock } = process.machine;
			const giveUp = (): void => {
				over = true;
				reject(codedError("ETIMEDOUT", `connecting to ${address} took over ${timeoutMs} ms`));
			};
			const deadlineMs = clock.monotonicMs() + timeoutMs;
			const timer = this.#world.push(clock.whenUs(deadlineMs), EVENT_NETWORK, process, giveUp);
			timer.deadlineMs = deadlineMs;
			const answer = (task: () => void): void => {
				if (back.blocked) return;
				this.#world.push(back.arrivalUs(0), EVENT_NETWORK, process, () => {
					if (back.blocked) return;
					timer.cancel();
					task();
				});
			};
			if (there.blocked) return;
			this.#world.push(there.arrivalUs(0), EVENT_NETWORK, undefined, () => {
				if (!there.passable || !process.alive) return;
				const listener = this.#listeners.get(formatAddress(target.machine.host, target.port));
				if (listener === undefined) {
					answer(() => reject(codedError("ECONNREFUSED", `connection refused by ${address}`)));
					return;
				}
				const client = this.#open(process, listener, target.port, there, back);
				answer(() => {
					if (over) client.destroy();
					else resolve(client);
				});
			});
		});
	}

	/** The connecting end; the accepting one goes to the listener. */
	#open(
		process: SimProcess,
		listener: ListeningSocket,
		port: number,
		there: Link,
		back: Link,
	): SimConnection {
		const clientAddress = formatAddress(process.machine.host, this.#nextPort());
		const serverAddress = formatAddress(listener.process.machine.host, port);
		const [client, server] = connectPair(
			this.#world,
			{ process, address: clientAddress, link: there },
			{ process: listener.process, address: serverAddress, link: back },
		);
		const pair = `${process.machine.id} ${serverAddress}`;
		const [before, accepted] = this.#latest.get(pair) ?? [];
		if (before?.isClosed === true) accepted!.isOutdated = true;
		this.#latest.set(pair, [client, server]);
		this.#register(client);
		this.#register(server);
		this.#world.push(this.#world.nowUs, EVENT_NETWORK, listener.process, () =>
			listener.onConnection(server),
		);
		return client;
	}

	#register(end: SimConnection): void {
		let ends = this.#ends.get(end.process);
		if (ends === undefined) {
			ends = new Set();
			this.#ends.set(end.process, ends);
		}
		ends.add(end);
	}
}
