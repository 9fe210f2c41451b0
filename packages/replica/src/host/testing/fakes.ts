/** A world for hosts, moved by hand: time, a network that delivers in order or not at all, logs that lose what is not synced. */
import { setImmediate as turn } from "node:timers/promises";
import { type BootId, bootId, type NodeId, type RangeId } from "@quorate/keys/ids";
import type { Entry, HardState, LogIndex, SnapshotMetadata } from "@quorate/raft/types";
import type { Body, CallOptions, Peer, Rpc } from "@quorate/rpc/types";
import { RpcError } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RecoveredGroup, Wal, WalWrite } from "@quorate/wal/types";

export class FakeWorld {
	nowMs = 0;
	#tasks: (() => void)[] = [];
	#timers: { at: number; sequence: number; task: () => void }[] = [];
	#sequence = 0;
	readonly rpcs = new Map<NodeId, FakeRpc>();
	/** "from>to" that are cut. */
	readonly cut = new Set<string>();
	readonly fatals: string[] = [];
	/** Frames by method. */
	readonly sent = new Map<string, number>();

	defer(task: () => void): void {
		this.#tasks.push(task);
	}

	setTimer(delayMs: number, task: () => void): Timer {
		const timer = { at: this.nowMs + delayMs, sequence: this.#sequence++, task };
		this.#timers.push(timer);
		return {
			cancel: () => {
				this.#timers = this.#timers.filter((t) => t !== timer);
			},
		};
	}

	get timers(): number {
		return this.#timers.length;
	}

	/** One turn of the event loop. True if there was something to do. */
	async turn(): Promise<boolean> {
		const tasks = this.#tasks.splice(0);
		for (const task of tasks) task();
		await turn();
		return tasks.length > 0;
	}

	/** Until nothing is left to do but to wait. */
	async settle(): Promise<void> {
		for (let quiet = 0; quiet < 3; ) {
			quiet = (await this.turn()) ? 0 : quiet + 1;
		}
	}

	async advance(ms: number): Promise<void> {
		const until = this.nowMs + ms;
		await this.settle();
		for (;;) {
			const next = this.#timers
				.filter((t) => t.at <= until)
				.sort((a, b) => a.at - b.at || a.sequence - b.sequence)[0];
			if (next === undefined) break;
			this.#timers = this.#timers.filter((t) => t !== next);
			this.nowMs = Math.max(this.nowMs, next.at);
			next.task();
			await this.settle();
		}
		this.nowMs = until;
	}

	runtime(random: () => number, isAlive: () => boolean): Runtime {
		const logger: Runtime["logger"] = { log: () => undefined, child: () => logger };
		const alive = (task: () => void) => () => {
			if (isAlive()) task();
		};
		const none = undefined as never;
		return {
			clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
			scheduler: {
				setTimer: (ms, task) => this.setTimer(ms, alive(task)),
				defer: (task) => this.defer(alive(task)),
				yield: () => new Promise((resolve) => this.defer(alive(resolve))),
			},
			random: { float: random, bytes: (count) => new Uint8Array(count) },
			network: none,
			disk: none,
			files: none,
			logger,
			fatal: (reason) => {
				this.fatals.push(reason);
				throw new Error(reason);
			},
		};
	}

	setLink(a: NodeId, b: NodeId, up: boolean): void {
		for (const [from, to] of [
			[a, b],
			[b, a],
		] as const) {
			if (up) this.cut.delete(`${from}>${to}`);
			else this.cut.add(`${from}>${to}`);
			if (!up) this.rpcs.get(from)?.disconnected(to);
		}
	}
}

type Handler = (body: Body, from: Peer | undefined) => Body | Promise<Body>;

export class FakeRpc implements Rpc {
	readonly #world: FakeWorld;
	readonly #self: NodeId;
	readonly #boot: BootId;
	readonly #handlers = new Map<string, Handler>();
	readonly #onDisconnect: ((node: NodeId) => void)[] = [];

	constructor(world: FakeWorld, self: NodeId, boot: number) {
		this.#world = world;
		this.#self = self;
		this.#boot = bootId(`${self}.${boot}`);
		world.rpcs.set(self, this);
	}

	identify(): void {}

	call(to: NodeId, method: string, body: Body, _options: CallOptions): Promise<Body> {
		return new Promise((resolve, reject) => {
			const lost = () => reject(new RpcError("lost", "cut"));
			if (!this.#reaches(to)) {
				lost();
				return;
			}
			this.#deliver(to, method, body, (answer) => {
				void Promise.resolve(answer).then(
					(value) => this.#world.defer(() => (this.#reaches(to) ? resolve(value) : lost())),
					(error: unknown) => this.#world.defer(() => reject(error)),
				);
			});
		});
	}

	pulseOf(): undefined {}

	callAddress(): Promise<Body> {
		throw new Error("not here");
	}

	send(to: NodeId, method: string, body: Body): void {
		this.#world.sent.set(method, (this.#world.sent.get(method) ?? 0) + 1);
		if (this.#reaches(to)) this.#deliver(to, method, body, () => undefined);
	}

	#reaches(to: NodeId): boolean {
		const { cut, rpcs } = this.#world;
		return !cut.has(`${this.#self}>${to}`) && rpcs.has(to) && rpcs.get(this.#self) === this;
	}

	#deliver(to: NodeId, method: string, body: Body, answer: (a: Body | Promise<Body>) => void) {
		const copy = structuredClone(body);
		this.#world.defer(() => {
			const handler = this.#world.rpcs.get(to)?.handlerOf(method);
			if (handler === undefined || !this.#reaches(to)) return;
			answer(handler(copy, { nodeId: this.#self, bootId: this.#boot }));
		});
	}

	handlerOf(method: string): Handler | undefined {
		return this.#handlers.get(method);
	}

	handle(method: string, handler: Handler): void {
		this.#handlers.set(method, handler);
	}

	onDisconnect(listener: (node: NodeId) => void): void {
		this.#onDisconnect.push(listener);
	}

	disconnected(node: NodeId): void {
		for (const listener of this.#onDisconnect) listener(node);
	}

	async close(): Promise<void> {}
}

interface GroupOnDisk {
	replicaId: WalWrite["replicaId"];
	hardState: HardState;
	snapshot: SnapshotMetadata | undefined;
	entries: Entry[];
}

/** Durable after one turn, or when `sync` is called while it is held. */
export class FakeWal implements Wal {
	readonly #world: FakeWorld;
	readonly groups = new Map<RangeId, GroupOnDisk>();
	#unsynced: { writes: readonly WalWrite[]; done: () => void }[] = [];
	isHeld = false;
	appends = 0;

	constructor(world: FakeWorld) {
		this.#world = world;
	}

	append(writes: readonly WalWrite[]): Promise<void> {
		this.appends++;
		return new Promise((done) => {
			this.#unsynced.push({ writes, done });
			if (!this.isHeld) this.#world.defer(() => !this.isHeld && this.sync());
		});
	}

	sync(): void {
		for (const { writes, done } of this.#unsynced.splice(0)) {
			for (const write of writes) this.#write(write);
			done();
		}
	}

	crash(): void {
		this.#unsynced = [];
	}

	#write(write: WalWrite): void {
		if (write.removed === true) {
			this.groups.delete(write.rangeId);
			return;
		}
		let group = this.groups.get(write.rangeId);
		if (group === undefined || group.replicaId !== write.replicaId) {
			const hardState = { term: 0, vote: 0 as never, commit: 0 };
			group = { replicaId: write.replicaId, hardState, snapshot: undefined, entries: [] };
			this.groups.set(write.rangeId, group);
		}
		if (write.hardState !== undefined) group.hardState = write.hardState;
		if (write.snapshot !== undefined) {
			const { reset, ...snapshot } = write.snapshot;
			group.snapshot = snapshot;
			group.entries = reset ? [] : group.entries.filter((e) => e.index > snapshot.index);
		}
		const first = write.entries?.[0];
		if (first === undefined) return;
		group.entries = [...group.entries.filter((e) => e.index < first.index), ...write.entries!];
		const begin = group.snapshot?.index ?? 0;
		group.entries.forEach((e, i) => {
			if (e.index !== begin + 1 + i) throw new Error(`gap in the log at ${e.index}`);
		});
	}

	recovered(): RecoveredGroup[] {
		return [...this.groups].map(([rangeId, group]) => ({ rangeId, ...group }));
	}

	compact(_range: RangeId, _index: LogIndex): void {}

	statistics() {
		return { segments: 1, sizeBytes: 0, syncs: 0, writes: 0 };
	}

	async close(): Promise<void> {}
}
