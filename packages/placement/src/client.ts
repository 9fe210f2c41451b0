/** A node's connection to the placement group, whoever leads it. */

import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import { type Timestamp, timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { Decision } from "@quorate/replica/decision";
import type { RangeLoad } from "@quorate/replica/range-load";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { PlacementLeader } from "./leader.ts";
import { type Attempt, defaultTimeoutMs, LeaderCalls } from "./leader-calls.ts";
import {
	fromWire,
	type LeaderAnswer,
	loadsMax,
	loadsToWire,
	lookupRangesMax,
	methods,
	type Overview,
	readSettings,
	reportRangesMax,
	toWire,
	type WireDecision,
	type WireRange,
} from "./messages.ts";
import { TimestampBatcher } from "./timestamp-batcher.ts";
import type { ClusterSettings, IdKind, NodeRecord, PlacementClient } from "./types.ts";

/** The leader answers a long wait in parts. */
const awaitPartMs = 500;

export interface PlacementClientOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly self: NodeId;
	/** Of the group, as far as known. */
	readonly members: readonly NodeId[];
	/** The service on this node, while it is a member: called without the RPC while it leads. */
	readonly local: () => PlacementLeader | undefined;
}

export function createPlacementClient(options: PlacementClientOptions): ConnectedPlacementClient {
	return new ConnectedPlacementClient(options);
}

export class ConnectedPlacementClient implements PlacementClient {
	readonly #options: PlacementClientOptions;
	readonly #calls: LeaderCalls;
	readonly #batcher: TimestampBatcher;
	#seen: Timestamp = timestampZero;
	#schemaVersion = 0;
	#nodes: readonly NodeRecord[] = [];
	#settings: ClusterSettings = { version: 0, values: new Map() };
	#onSchemaRaised: (() => void) | undefined;

	constructor(options: PlacementClientOptions) {
		this.#options = options;
		this.#calls = new LeaderCalls(options.runtime, options.rpc, options.members);
		this.#batcher = new TimestampBatcher({
			runtime: options.runtime,
			calls: this.#calls,
			request: (count, timeoutMs) => this.#requestTimestamps(count, timeoutMs),
			isLocal: () => this.#isLocal(),
			onIssued: (last, version) => {
				this.observe(last);
				this.noteSchemaVersion(version);
			},
		});
	}

	/** For requests that this package makes itself. */
	get calls(): LeaderCalls {
		return this.#calls;
	}

	issue(timeoutMs = defaultTimeoutMs): Promise<IssuedTimestamp> {
		return this.#batcher.issue(timeoutMs);
	}

	seen(): Timestamp {
		return this.#seen;
	}

	observe(issued: Timestamp, schemaVersion?: number): void {
		if (issued > this.#seen) {
			this.#seen = issued;
		}
		if (schemaVersion !== undefined) {
			this.noteSchemaVersion(schemaVersion);
		}
	}

	async raiseSchemaVersion(): Promise<IssuedTimestamp> {
		const answer = await this.#calls.callOnce(methods.raiseSchema, null);
		if (answer === "unknown") {
			throw new DatabaseError("40003", "the outcome of the schema change is unknown");
		}
		const [c, schemaVersion] = answer as [number, number];
		this.observe(timestamp(c));
		this.noteSchemaVersion(schemaVersion);
		return { timestamp: timestamp(c), schemaVersion };
	}

	async lookup(start: Key, end: Key, max: number): Promise<readonly RangeInfo[]> {
		const body = { start, end, max: Math.min(max, lookupRangesMax) };
		const answer = await this.#calls.call(methods.lookup, body);
		return (answer as readonly WireRange[]).map(fromWire);
	}

	async report(ranges: readonly RangeInfo[]): Promise<void> {
		for (let at = 0; at < ranges.length; at += reportRangesMax) {
			const part = ranges.slice(at, at + reportRangesMax).map(toWire);
			await this.#calls.call(methods.report, part);
		}
	}

	async decided({ kind, rangeId, reason, tookMs }: Decision): Promise<void> {
		const body: WireDecision = [kind, rangeId, reason, tookMs];
		await this.#calls.call(methods.decided, body);
	}

	/** What has changed of the ranges led here; answers with the mark of the leader that was told. */
	async tellLoads(loads: readonly RangeLoad[]): Promise<string> {
		let mark = "";
		for (let at = 0; at === 0 || at < loads.length; at += loadsMax) {
			const part = loadsToWire(loads.slice(at, at + loadsMax));
			mark = String(await this.#calls.call(methods.loads, part));
		}
		return mark;
	}

	async allocate(kind: IdKind, count: number): Promise<number> {
		return (await this.#calls.call(methods.allocate, { kind, count })) as number;
	}

	async nodes(): Promise<readonly NodeRecord[]> {
		const nodes = (await this.#calls.call(methods.nodes, null)) as readonly NodeRecord[];
		this.#nodes = nodes;
		return nodes;
	}

	nodesCached(): readonly NodeRecord[] {
		return this.#nodes;
	}

	schemaVersion(): number {
		return this.#schemaVersion;
	}

	async schemaVersionAt(ts: Timestamp): Promise<number | undefined> {
		// Of a change that is not known there c would be above what was issued with the version that is known here.
		assert(ts <= this.#seen, () => `the schema as of ${ts}, and ${this.#seen} was issued`);
		const body = { timestamp: ts, least: this.#schemaVersion };
		const version = (await this.#calls.call(methods.schemaAt, body)) as number;
		return version === 0 ? undefined : version;
	}

	async awaitSchemaVersion(version: number, timeoutMs: number): Promise<boolean> {
		const { clock } = this.#options.runtime;
		const deadlineMs = clock.monotonicMs() + timeoutMs;
		for (;;) {
			const leftMs = Math.max(0, deadlineMs - clock.monotonicMs());
			const body = { version, timeoutMs: Math.ceil(Math.min(leftMs, awaitPartMs)) };
			if ((await this.#awaitPart(body, leftMs)) === true) {
				return true;
			}
			if (leftMs === 0) {
				return false;
			}
		}
	}

	/**
	 * Marks a node for people and the scheduler; `removed` is for good. Rejects with 55000 if the
	 * registry refuses.
	 */
	async markNode(nodeId: NodeId, state: NodeRecord["state"]): Promise<void> {
		const answer = await this.#calls.call(methods.markNode, { nodeId, state });
		throwIfRefused(answer as { refused: string });
	}

	/** The same descriptor as a directory on this node keeps it, if there is one. */
	kept(descriptor: RangeDescriptor): RangeInfo | undefined {
		return this.#options.local()?.kept(descriptor);
	}

	/** From the leader, for people. */
	async overview(): Promise<Overview> {
		return (await this.#calls.call(methods.overview, null)) as Overview;
	}

	async set(name: string, value: string | null): Promise<void> {
		await this.#calls.call(methods.set, { name, value });
	}

	settings(): ClusterSettings {
		return this.#settings;
	}

	/** From the leader. */
	async refreshSettings(): Promise<void> {
		this.noteSettings(readSettings(await this.#calls.call(methods.settings, null)));
	}

	noteSettings(settings: ClusterSettings): void {
		if (settings.version > this.#settings.version) {
			this.#settings = settings;
		}
	}

	noteSchemaVersion(version: number): void {
		if (version > this.#schemaVersion) {
			this.#schemaVersion = version;
			this.#onSchemaRaised?.();
		}
	}

	noteNodes(nodes: readonly NodeRecord[]): void {
		this.#nodes = nodes;
	}

	/** Called when a higher version was seen in any answer: the leader is told at once. */
	onSchemaRaised(listener: () => void): void {
		this.#onSchemaRaised = listener;
	}

	async #awaitPart(body: { version: number; timeoutMs: number }, leftMs: number) {
		try {
			return await this.#calls.call(methods.awaitSchema, body, Math.max(leftMs, 1));
		} catch (error) {
			if (error instanceof DatabaseError && error.code === "57P03") {
				return false;
			}
			throw error;
		}
	}

	#isLocal(): boolean {
		return this.#options.local() !== undefined && this.#calls.leader === this.#options.self;
	}

	async #requestTimestamps(count: number, timeoutMs: number): Promise<Attempt> {
		const { self, runtime } = this.#options;
		const local = this.#options.local();
		const limitMs = Math.min(this.#calls.patienceMs, timeoutMs);
		if (local === undefined || !this.#isLocal()) {
			return this.#calls.attempt(methods.issue, count, limitMs);
		}
		const answer = await withTimeout(runtime, local.issue(count), limitMs);
		this.#calls.note(self, answer !== undefined);
		return answer === undefined ? { kind: "unknown" } : this.#calls.read(self, answer);
	}
}

/** Undefined when the time is over. */
function withTimeout(
	runtime: Runtime,
	answer: Promise<LeaderAnswer>,
	timeoutMs: number,
): Promise<LeaderAnswer | undefined> {
	return new Promise((resolve, reject) => {
		const timer: Timer = runtime.scheduler.setTimer(timeoutMs, () => resolve(undefined));
		answer.then((value) => {
			timer.cancel();
			resolve(value);
		}, reject);
	});
}

export function throwIfRefused(answer: { readonly refused: string }, hint?: string): void {
	if (answer.refused !== "") {
		throw new DatabaseError("55000", answer.refused, hint === undefined ? {} : { hint });
	}
}
