/**
 * The placement group's service on one member: answers when the member leads and has applied an
 * entry of its own term, else says who leads. Node records, directory and settings are answered
 * from the applied state without a round: what is done with them is checked where it matters
 * (epochs at ranges, boots at registration).
 */
import { assert } from "@quorate/keys/assert";
import { firstVersions, whyTooNew, whyTooOld } from "@quorate/keys/cluster-version";
import { bootId, type NodeId, type ReplicaId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import { members } from "@quorate/raft/configuration";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { PlacementCommand } from "./commands.ts";
import { Demand } from "./demand.ts";
import { placementNode } from "./genesis.ts";
import type { PlacementMachine, ProposalResult } from "./group-machine.ts";
import { Liveness } from "./liveness.ts";
import {
	allocateCountMax,
	type HeartbeatAnswer,
	type LeaderAnswer,
	lookupRangesMax,
	methods,
	type Overview,
	readCertificate,
	readCount,
	readDecision,
	readIdKind,
	readIssueCount,
	readKeyText,
	readLoads,
	readNodeId,
	readNodeState,
	readObject,
	readRanges,
	readText,
	readVersions,
	settingsToWire,
	toWire,
	type WireDecision,
} from "./messages.ts";
import { RangeLoads } from "./scheduler/range-loads.ts";
import { describeMove, type MoveExecutor, Scheduler } from "./scheduler/scheduler.ts";
import { Versions } from "./scheduler/versions.ts";
import type { NodeRecord } from "./types.ts";

const readReplicaId = (body: unknown): ReplicaId =>
	readCount(body, 1, Number.MAX_SAFE_INTEGER, "replica id") as ReplicaId;

/** The nodes of the group's voters. */
function memberNodes(machine: PlacementMachine): NodeId[] {
	const { voters, outgoing } = machine.applied.configuration;
	return [...new Set([...voters, ...outgoing].map(placementNode))].sort((a, b) => a - b);
}

/** A caller asks again after this. */
const awaitSchemaMsMax = 1000;
const recheckMs = 100;
const announceMs = 1000;

interface SchemaWaiter {
	readonly version: number;
	readonly deadlineMs: number;
	readonly resolve: (answer: LeaderAnswer) => void;
}

export class PlacementLeader {
	readonly #runtime: Runtime;
	readonly #machine: PlacementMachine;
	readonly #rpc: Rpc;
	readonly #liveness: Liveness;
	readonly #self: NodeId;
	readonly #demand: Demand;
	readonly #loads = new RangeLoads();
	/** Of this leadership, among all of this process's and of others'. */
	#mark = "";
	readonly #handlers: Record<string, (body: unknown) => unknown>;
	readonly #versions: Versions;
	#scheduler: Scheduler | undefined;
	#waiters: SchemaWaiter[] = [];
	#recheck: Timer | undefined;
	#wasServing = false;

	constructor(options: {
		readonly runtime: Runtime;
		readonly rpc: Rpc;
		readonly machine: PlacementMachine;
		readonly self: NodeId;
	}) {
		this.#runtime = options.runtime;
		this.#rpc = options.rpc;
		this.#machine = options.machine;
		this.#self = options.self;
		this.#liveness = new Liveness(options.runtime.clock);
		this.#demand = new Demand(options.runtime.clock);
		this.#versions = new Versions(options.machine, (reason) => this.#record("version", [], reason));
		this.#handlers = this.#makeHandlers();
	}

	/** One of `leaderMethods`, asked for by a peer. */
	handle(method: string, body: unknown, from: NodeId | undefined): Promise<LeaderAnswer> {
		if (method === methods.issue) {
			return this.issue(readIssueCount(body), from);
		}
		if (method === methods.raiseSchema) {
			return this.raiseSchema();
		}
		const handler = this.#handlers[method];
		assert(handler !== undefined, () => `no method ${method}`);
		return this.#serve(handler, body);
	}

	leadershipChanged(): void {
		const isServing = this.#machine.isServing;
		if (isServing && !this.#wasServing) {
			this.#liveness.reset();
			this.#demand.reset();
			this.#loads.reset();
			this.#mark = Buffer.from(this.#runtime.random.bytes(8)).toString("hex");
		}
		if (isServing !== this.#wasServing) {
			this.#scheduler?.reset();
		}
		this.#wasServing = isServing;
		this.#checkWaiters();
	}

	/** Waits for leadership to be usable, where this member has it. */
	async issue(count: number, by: NodeId | undefined = this.#self): Promise<LeaderAnswer> {
		if (this.#machine.isServing) {
			this.#goTo(this.#demand.asked(by));
		}
		const block = await this.#machine.oracle.issue(count);
		return block === undefined ? this.#elsewhere() : [true, [block.first, block.schemaVersion]];
	}

	#goTo(node: NodeId | undefined): void {
		if (node !== undefined && node !== this.#self) {
			this.#machine.transferLeadership(node);
		}
	}

	async raiseSchema(): Promise<LeaderAnswer> {
		const result = await this.#machine.oracle.raiseSchemaVersion();
		if (result === "not-leader") {
			return this.#elsewhere();
		}
		if (result === "unknown") {
			return [true, "unknown"];
		}
		this.#announceSchema(result.schemaVersion);
		return [true, [result.timestamp, result.schemaVersion]];
	}

	/** Moves ranges from now on, while this member leads. */
	schedule(executor: MoveExecutor, limits: Limits | undefined): void {
		const [liveness, loads] = [this.#liveness, this.#loads];
		const [runtime, machine, rpc] = [this.#runtime, this.#machine, this.#rpc];
		const versions = this.#versions;
		const parts = { runtime, rpc, machine, liveness, loads, versions };
		this.#scheduler = new Scheduler({ ...parts, executor, limits });
		this.#scheduler.start();
	}

	close(): void {
		this.#recheck?.cancel();
		this.#scheduler?.close();
	}

	#makeHandlers(): Record<string, (body: unknown) => unknown> {
		return {
			[methods.lookup]: (body) => this.#lookup(body),
			[methods.report]: (body) => this.#propose({ kind: "report", ranges: readRanges(body) }),
			[methods.allocate]: (body) => this.#allocate(body),
			[methods.nodes]: () => this.#nodes(),
			[methods.overview]: () => this.#overview(),
			[methods.decided]: (body) => this.#decided(readDecision(body)),
			[methods.loads]: (body) => {
				this.#loads.heard(readLoads(body));
				return this.#mark;
			},
			[methods.register]: (body) => this.#register(body),
			[methods.heartbeat]: (body) => this.#heartbeat(body),
			[methods.awaitSchema]: (body) => this.#awaitSchema(body),
			[methods.schemaAt]: (body) => this.#schemaAt(body),
			[methods.markNode]: (body) => this.#markNode(body),
			[methods.set]: (body) => this.#set(body),
			[methods.settings]: () => settingsToWire(this.#machine.state.settings()),
			[methods.allocateNode]: (body) => this.#allocateNode(body),
			[methods.renewMember]: (body) => this.#renew(readReplicaId(body)),
			[methods.isMember]: (body) => this.#isMember(readReplicaId(body)),
		};
	}

	async #serve(handler: (body: unknown) => unknown, body: unknown): Promise<LeaderAnswer> {
		if (!this.#machine.isServing) {
			return this.#elsewhere();
		}
		const answer = await handler(body);
		return answer === undefined ? this.#elsewhere() : [true, answer];
	}

	#elsewhere(): LeaderAnswer {
		// Its leader may have died while the group was at rest, and nobody have noticed.
		this.#machine.wake();
		return [false, this.#machine.leader];
	}

	/**
	 * Undefined where leadership ended: the caller asks again, and every command may be given
	 * twice.
	 */
	async #propose(command: PlacementCommand): Promise<ProposalResult | undefined> {
		const result = await this.#machine.propose(command);
		return result === "not-leader" || result === "lost" ? undefined : result;
	}

	async #settle(command: PlacementCommand): Promise<{ refused: string } | undefined> {
		const result = await this.#machine.propose(command);
		if (result === "not-leader" || result === "lost") {
			return undefined;
		}
		return { refused: result.kind === "refused" ? result.reason : "" };
	}

	/** Where the node was no founder, its replica has to be made first. */
	async #renew(replica: ReplicaId): Promise<string | undefined> {
		const { learners } = this.#machine.applied.configuration;
		const node = placementNode(replica);
		const isCounted = members(this.#machine.applied.configuration).some(
			(member) => member !== replica && placementNode(member) === node,
		);
		if (isCounted && !learners.includes(replica)) {
			const limits = { timeoutMs: announceMs };
			const isThere = await this.#rpc.call(node, methods.becomeMember, replica, limits);
			if (isThere !== true) {
				return "refused";
			}
		}
		return this.#machine.isServing ? this.#machine.renew(replica) : undefined;
	}

	async #isMember(replica: ReplicaId): Promise<boolean | undefined> {
		const isCurrent = await this.#isStateCurrent();
		return isCurrent ? members(this.#machine.applied.configuration).includes(replica) : undefined;
	}

	#lookup(body: unknown): unknown {
		const { start, end, max } = readObject(body);
		const count = readCount(max, 1, Number.MAX_SAFE_INTEGER, "max");
		return this.#machine.state.directory
			.lookup(readKeyText(start) as Key, readKeyText(end) as Key, Math.min(count, lookupRangesMax))
			.map(toWire);
	}

	async #allocate(body: unknown): Promise<number | undefined> {
		const { kind, count } = readObject(body);
		const result = await this.#machine.propose({
			kind: "allocate",
			id: readIdKind(kind),
			count: readCount(count, 1, allocateCountMax, "count"),
		});
		return typeof result === "object" && result.kind === "allocated" ? result.first : undefined;
	}

	#nodes(): NodeRecord[] {
		return this.#machine.state.nodes().map((record) => this.#liveness.judge(record));
	}

	async #register(body: unknown): Promise<{ refused: string } | undefined> {
		const fields = readObject(body);
		const node = readNodeId(fields["nodeId"]);
		const versions = readVersions(fields["versions"]);
		const why = whyTooNew(this.#machine.state.clusterVersion(), versions);
		if (why !== undefined) {
			return { refused: `node ${node} must not join yet: ${why}` };
		}
		const settled = await this.#settle({
			kind: "register",
			nodeId: node,
			versions,
			address: readText(fields["address"], "address"),
			sqlAddress: readText(fields["sqlAddress"], "sqlAddress"),
			bootId: bootId(readText(fields["bootId"], "bootId")),
			previousBootId: bootId(readText(fields["previousBootId"], "previousBootId")),
			locality: readText(fields["locality"], "locality"),
			...readCertificate(fields["certificate"]),
		});
		// It may be the last that has not said what it can: whoever it serves then finds all there is, also right after the birth of a cluster.
		if (settled?.refused === "" && (await this.#versions.step())) {
			await this.#announceSettings();
		}
		return settled;
	}

	async #heartbeat(body: unknown): Promise<HeartbeatAnswer | undefined> {
		const fields = readObject(body);
		const node = readNodeId(fields["nodeId"]);
		const boot = bootId(readText(fields["bootId"], "bootId"));
		const version = readCount(fields["schemaVersion"], 0, Number.MAX_SAFE_INTEGER, "version");
		const known = readCount(fields["settingsVersion"], 0, Number.MAX_SAFE_INTEGER, "version");
		const isCurrent = this.#isCurrentBoot(node, boot);
		const refused = isCurrent ? this.#whyTooOld(node, fields) : undefined;
		if (isCurrent && refused === undefined) {
			this.#liveness.heard(node, boot, version, fields["isStopping"] === true);
			this.#revive(node);
			this.#checkWaiters();
		} else if (refused === undefined && !(await this.#isStateCurrent())) {
			return undefined;
		}
		const settings = this.#machine.state.settings();
		return {
			nodes: this.#nodes(),
			members: memberNodes(this.#machine),
			schemaVersion: this.#machine.state.schemaVersion(),
			settings: known < settings.version ? settingsToWire(settings) : null,
			ended: refused !== undefined || (!isCurrent && !this.#isCurrentBoot(node, boot)),
			...(refused === undefined ? {} : { refused }),
		};
	}

	/**
	 * A boot that was taken for dead while the others went on to a version that it cannot must stop, if it still runs. One that has
	 * registered with a leader from before there were versions tells them now; one that has another certificate now, which it is.
	 */
	#whyTooOld(nodeId: NodeId, told: Readonly<Record<string, unknown>>): string | undefined {
		const { state } = this.#machine;
		const record = state.node(nodeId);
		const versions = readVersions(told["versions"]);
		const { certificate } = readCertificate(told["certificate"]);
		if (record === undefined) return undefined;
		const why = whyTooOld(state.clusterVersion(), versions);
		const isNews =
			versions.newest !== (record.versions ?? firstVersions).newest ||
			(certificate !== undefined && certificate !== record.certificate);
		if (why === undefined && isNews) {
			const { address, sqlAddress, bootId: boot, locality } = record;
			const shown = certificate === undefined ? {} : { certificate };
			const fields = { nodeId, address, sqlAddress, bootId: boot, locality, versions, ...shown };
			void this.#machine.propose({ kind: "register", previousBootId: boot, ...fields });
		}
		return why && `node ${nodeId} must stop: ${why}`;
	}

	/** It was taken for dead, and is not. */
	#revive(nodeId: NodeId): void {
		const record = this.#machine.state.node(nodeId);
		// Without an address it has lost its place to another.
		if (record?.state === "dead" && record.address !== "") {
			void this.#machine.propose({ kind: "mark-node", nodeId, state: "live" });
		}
	}

	/** The same descriptor as the directory here keeps it. */
	kept(descriptor: RangeDescriptor): RangeInfo | undefined {
		return this.#machine.state.directory.kept(descriptor);
	}

	#overview(): Overview {
		const { state } = this.#machine;
		const memberIds = memberNodes(this.#machine);
		const scheduler = this.#scheduler;
		return {
			nodes: state.nodes().map((record) => ({
				...this.#liveness.judge(record),
				silentMs: Math.round(this.#liveness.silentForMs(record)),
				isStopping: this.#liveness.isStopping(record),
				isMember: memberIds.includes(record.nodeId),
			})),
			ranges: state.directory.current().map(toWire),
			obstacles: (scheduler?.obstacles ?? []).map((o) => [o.rangeId, o.reason] as const),
			moves: (scheduler?.underWay ?? []).map((m) => [m.range.rangeId, describeMove(m)] as const),
			isSettled: scheduler?.isSettled ?? false,
			events: state.events(),
		};
	}

	/** It has been done already. */
	async #decided([kind, rangeId, reason, tookMs]: WireDecision): Promise<true> {
		const atMs = Math.round(this.#runtime.clock.wallMs());
		const event = { atMs, kind, rangeId, to: [], from: [], reason, outcome: "done", bytes: 0 };
		await this.#machine.propose({ kind: "event", event: { ...event, tookMs } });
		return true;
	}

	#isCurrentBoot(node: NodeId, boot: string): boolean {
		const record = this.#machine.state.node(node);
		return record !== undefined && record.bootId === boot && record.state !== "removed";
	}

	/**
	 * A leader that was replaced without knowing lacks the registrations since: a boot is declared
	 * ended only after a round.
	 */
	async #isStateCurrent(): Promise<boolean> {
		try {
			const index = await this.#machine.confirmLeadership();
			return this.#machine.isServing && this.#machine.applied.index >= index;
		} catch {
			return false;
		}
	}

	async #markNode(body: unknown): Promise<{ refused: string } | undefined> {
		const { nodeId, state: asked } = readObject(body);
		const id = readNodeId(nodeId);
		const state = readNodeState(asked);
		const refused = state === "removed" ? this.#whyNotRemoved(id) : undefined;
		if (refused !== undefined) {
			return { refused };
		}
		const before = this.#machine.state.node(id)?.state;
		const result = await this.#settle({ kind: "mark-node", nodeId: id, state });
		if (result?.refused === "" && before !== state) {
			void this.#record("node", [id], `an operator: ${before ?? "unknown"} to ${state}`);
		}
		return result;
	}

	/** What is done with that. */
	#record(kind: "node" | "version", from: readonly NodeId[], reason: string): Promise<unknown> {
		const atMs = Math.round(this.#runtime.clock.wallMs());
		const rest = { rangeId: 0, to: [], outcome: "done", bytes: null, tookMs: 0 };
		return this.#machine.propose({ kind: "event", event: { atMs, kind, from, reason, ...rest } });
	}

	/** Who is removed takes nothing along that the cluster counts on. */
	#whyNotRemoved(id: NodeId): string | undefined {
		const { state, applied } = this.#machine;
		const record = state.node(id);
		if (record === undefined || record.state === "removed") {
			return undefined;
		}
		const held = state.directory
			.current()
			.filter(({ descriptor }) => descriptor.replicas.some((r) => r.nodeId === id)).length;
		if (held > 0) {
			return `node ${id} still holds ${held} replicas: drain it first`;
		}
		if (members(applied.configuration).some((replica) => placementNode(replica) === id)) {
			return `node ${id} is a member of the placement group: drain it first`;
		}
		if (record.state !== "draining" && record.state !== "dead") {
			return `node ${id} is in use: drain it first`;
		}
		return undefined;
	}

	async #set(body: unknown): Promise<ProposalResult | undefined> {
		const { name, value } = readObject(body);
		const result = await this.#propose({
			kind: "set",
			name: readText(name, "name"),
			value: value === null ? null : readText(value, "value"),
		});
		if (result !== undefined) {
			await this.#announceSettings();
		}
		return result;
	}

	/** Whoever sets one finds it in force on all nodes that answer; the others hear of it with their next heartbeat. */
	async #announceSettings(): Promise<void> {
		const settings = settingsToWire(this.#machine.state.settings());
		const told = this.#nodes()
			.filter(({ state }) => state === "live" || state === "draining")
			.map(({ nodeId }) =>
				this.#rpc.call(nodeId, methods.settingsChanged, settings, { timeoutMs: announceMs }),
			);
		await Promise.allSettled(told);
	}

	async #allocateNode(body: unknown): Promise<number | undefined> {
		const { token, address } = readObject(body);
		const result = await this.#machine.propose({
			kind: "join",
			token: readText(token, "token"),
			address: readText(address, "address"),
		});
		return typeof result === "object" && result.kind === "joined" ? result.nodeId : undefined;
	}

	/**
	 * So that nodes tell what they have seen at once, and DDL need not wait for their next
	 * heartbeat.
	 */
	#announceSchema(version: number): void {
		for (const node of this.#machine.state.nodes()) {
			if (node.state === "live" || node.state === "draining") {
				this.#rpc.send(node.nodeId, methods.schemaRaised, version);
			}
		}
	}

	#awaitSchema(body: unknown): Promise<unknown> | boolean {
		const { version, timeoutMs } = readObject(body);
		const wanted = readCount(version, 0, Number.MAX_SAFE_INTEGER, "version");
		const waitMs = readCount(timeoutMs, 0, Number.MAX_SAFE_INTEGER, "timeoutMs");
		if (this.#hasBeenSeen(wanted)) {
			return true;
		}
		const deadlineMs = this.#runtime.clock.monotonicMs() + Math.min(waitMs, awaitSchemaMsMax);
		return new Promise<LeaderAnswer>((resolve) => {
			this.#waiters.push({ version: wanted, deadlineMs, resolve });
			this.#scheduleRecheck();
		}).then(([isServed, answer]) => (isServed ? answer : undefined));
	}

	/** A leader that was replaced without knowing lacks the changes since. */
	#schemaAt(body: unknown): number | undefined {
		const { timestamp: at, least } = readObject(body);
		const ts = readCount(at, 0, Number.MAX_SAFE_INTEGER, "timestamp") as Timestamp;
		const wanted = readCount(least, 0, Number.MAX_SAFE_INTEGER, "version");
		const { state } = this.#machine;
		return state.schemaVersion() < wanted ? undefined : (state.schemaVersionAt(ts) ?? 0);
	}

	#hasBeenSeen(version: number): boolean {
		if (this.#machine.state.schemaVersion() < version) {
			return false;
		}
		return this.#liveness.haveSeen(this.#machine.state.nodes(), version);
	}

	#checkWaiters(): void {
		if (this.#waiters.length === 0) {
			return;
		}
		const nowMs = this.#runtime.clock.monotonicMs();
		this.#waiters = this.#waiters.filter((waiter) => {
			if (!this.#machine.isServing) {
				waiter.resolve(this.#elsewhere());
				return false;
			}
			const hasSeen = this.#hasBeenSeen(waiter.version);
			if (hasSeen || nowMs >= waiter.deadlineMs) {
				waiter.resolve([true, hasSeen]);
				return false;
			}
			return true;
		});
		this.#scheduleRecheck();
	}

	/** Deadlines, and nodes that fall silent, come by themselves. */
	#scheduleRecheck(): void {
		if (this.#recheck !== undefined || this.#waiters.length === 0) {
			return;
		}
		this.#recheck = this.#runtime.scheduler.setTimer(recheckMs, () => {
			this.#recheck = undefined;
			this.#checkWaiters();
		});
	}
}
