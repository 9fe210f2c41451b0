/**
 * The placement group's state: deterministic, in memory, small. The same commands in the same order
 * give the same state on every member; nothing here knows time, the network or who leads.
 */
import { assert } from "@quorate/keys/assert";
import {
	activeVersion,
	firstVersions,
	versionSetting,
	whyTooOld,
} from "@quorate/keys/cluster-version";
import { bootId, type NodeId, nodeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { CommandResult, PlacementCommand } from "./commands.ts";
import { RangeDirectory } from "./directory.ts";
import { firstIds, firstRange, firstSchemaVersion, founderRecords } from "./genesis.ts";
import type { ClusterSettings, IdKind, NodeIdentity, NodeRecord, PlacementEvent } from "./types.ts";

/** 2: settings have a version. 3: events. */
const stateFormat = 3;
const oldestFormat = 1;
/** Old entries go: nobody reads further back than the GC threshold lets them. */
const schemaHistoryMax = 1000;
/** Of decisions, the last so many are kept. */
const eventsMax = 500;

/** A version and the timestamp from which it holds. */
export interface SchemaChange {
	readonly version: number;
	readonly c: Timestamp;
}

/**
 * A snapshot's content. Field order is the encoding's order: two equal states encode to equal
 * bytes.
 */
interface StateData {
	readonly format: number;
	readonly ceiling: Timestamp;
	readonly schema: readonly SchemaChange[];
	readonly counters: Readonly<Record<IdKind, number>>;
	readonly nodeIdNext: number;
	/** Node ids given to joiners that have not registered yet, by token. */
	readonly joins: readonly (readonly [string, NodeId])[];
	readonly nodes: readonly NodeRecord[];
	readonly settingsVersion: number;
	readonly settings: readonly (readonly [string, string])[];
	readonly ranges: readonly RangeInfo[];
	readonly eventIdNext: number;
	readonly events: readonly PlacementEvent[];
}

const done: CommandResult = { kind: "done" };
const refused = (reason: string): CommandResult => ({ kind: "refused", reason });

export class PlacementState {
	/** O2: timestamps below it may be handed out. 0 before the first leader of all raised it. */
	#ceiling: Timestamp;
	/** Rising in both fields; the last one is current. */
	#schema: SchemaChange[];
	readonly #counters: Record<IdKind, number>;
	#nodeIdNext: number;
	readonly #joins: Map<string, NodeId>;
	readonly #nodes: Map<NodeId, NodeRecord>;
	#settings: ClusterSettings;
	readonly #directory: RangeDirectory;
	#eventIdNext: number;
	/** By id, the oldest first. */
	readonly #events: Map<number, PlacementEvent>;

	private constructor(data: StateData) {
		this.#ceiling = data.ceiling;
		this.#schema = [...data.schema];
		this.#counters = { ...data.counters };
		this.#nodeIdNext = data.nodeIdNext;
		this.#joins = new Map(data.joins);
		this.#nodes = new Map(data.nodes.map((node) => [node.nodeId, node]));
		this.#settings = { version: data.settingsVersion, values: new Map(data.settings) };
		this.#directory = new RangeDirectory(data.ranges);
		this.#eventIdNext = data.eventIdNext;
		this.#events = new Map(data.events.map((event) => [event.id, event]));
	}

	static genesis(founders: NodeIdentity["founders"]): PlacementState {
		return new PlacementState({
			format: stateFormat,
			ceiling: timestampZero,
			schema: [{ version: firstSchemaVersion, c: timestampZero }],
			counters: firstIds,
			nodeIdNext: Math.max(...founders.map((founder) => founder.nodeId)) + 1,
			joins: [],
			nodes: founderRecords(founders),
			settingsVersion: 0,
			settings: [],
			ranges: [{ descriptor: firstRange(founders), leaseholder: undefined }],
			eventIdNext: 1,
			events: [],
		});
	}

	static decode(bytes: Uint8Array): PlacementState {
		const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
		const data = JSON.parse(text) as StateData;
		assert(
			data.format >= oldestFormat && data.format <= stateFormat,
			() => `placement state has format ${data.format}, this build reads up to ${stateFormat}`,
		);
		return new PlacementState({
			...data,
			...(data.format === 1 ? { settingsVersion: data.settings.length } : {}),
			...(data.format < 3 ? { eventIdNext: 1, events: [] } : {}),
		});
	}

	encode(): Uint8Array {
		const { range, replica, object, row } = this.#counters;
		const data: StateData = {
			format: stateFormat,
			ceiling: this.#ceiling,
			schema: this.#schema,
			counters: { range, replica, object, row },
			nodeIdNext: this.#nodeIdNext,
			joins: [...this.#joins],
			nodes: this.nodes(),
			settingsVersion: this.#settings.version,
			settings: [...this.#settings.values].sort(([a], [b]) => (a < b ? -1 : 1)),
			ranges: this.#directory.all(),
			eventIdNext: this.#eventIdNext,
			events: this.events(),
		};
		return Buffer.from(JSON.stringify(data), "utf8");
	}

	apply(command: PlacementCommand): CommandResult {
		switch (command.kind) {
			case "ceiling":
				if (command.value > this.#ceiling) {
					this.#ceiling = command.value;
				}
				return done;
			case "raise-schema":
				return this.#raiseSchema(command.c);
			case "register":
				return this.#register(command);
			case "join":
				return this.#join(command.token, command.address);
			case "mark-node":
				return this.#markNode(command.nodeId, command.state);
			case "allocate": {
				const first = this.#counters[command.id];
				this.#counters[command.id] = first + command.count;
				assert(Number.isSafeInteger(first + command.count), `ids of ${command.id} ran out`);
				return { kind: "allocated", first };
			}
			case "report":
				for (const info of command.ranges) {
					this.#directory.report(info);
				}
				return done;
			case "event":
				return this.#recordEvent(command.event);
			case "event-end":
				return this.#endEvent(command);
			case "set":
				return this.#set(command.name, command.value);
			default:
				// A later build's entry that kept the format is a bug there: going on would make
				// the members differ.
				assert(false, `unknown placement command ${(command as { kind: string }).kind}`);
		}
	}

	ceiling(): Timestamp {
		return this.#ceiling;
	}

	schemaVersion(): number {
		return this.#schema.at(-1)!.version;
	}

	/** The version as of `ts`; undefined before what is still remembered. */
	schemaVersionAt(ts: Timestamp): number | undefined {
		return this.#schema.findLast((change) => change.c <= ts)?.version;
	}

	/** By node id. */
	nodes(): NodeRecord[] {
		return [...this.#nodes.values()].sort((a, b) => a.nodeId - b.nodeId);
	}

	node(id: NodeId): NodeRecord | undefined {
		return this.#nodes.get(id);
	}

	/** An object of its own for each version. */
	settings(): ClusterSettings {
		return this.#settings;
	}

	clusterVersion(): number {
		return activeVersion(this.#settings.values);
	}

	get directory(): RangeDirectory {
		return this.#directory;
	}

	/** The oldest first. */
	events(): PlacementEvent[] {
		return [...this.#events.values()];
	}

	#recordEvent(event: Omit<PlacementEvent, "id">): CommandResult {
		const id = this.#eventIdNext++;
		this.#events.set(id, { id, ...event });
		const [oldest] = this.#events.keys();
		if (this.#events.size > eventsMax && oldest !== undefined) {
			this.#events.delete(oldest);
		}
		return { kind: "recorded", id };
	}

	#endEvent({
		id,
		outcome,
		bytes,
		tookMs,
	}: PlacementCommand & { kind: "event-end" }): CommandResult {
		const event = this.#events.get(id);
		if (event !== undefined) {
			this.#events.set(id, { ...event, outcome, bytes, tookMs });
		}
		return done;
	}

	#set(name: string, value: string | null): CommandResult {
		const isLower = name === versionSetting && Number(value ?? 0) <= this.clusterVersion();
		if (isLower) return done;
		const values = new Map(this.#settings.values);
		if (value === null) {
			values.delete(name);
		} else {
			values.set(name, value);
		}
		this.#settings = { version: this.#settings.version + 1, values };
		return done;
	}

	#raiseSchema(c: Timestamp): CommandResult {
		const last = this.#schema.at(-1)!;
		assert(c > last.c, () => `S1: version ${last.version} began at ${last.c}, the next at ${c}`);
		assert(c < this.#ceiling, () => `O2: c ${c} drawn at or above the ceiling ${this.#ceiling}`);
		const version = last.version + 1;
		this.#schema.push({ version, c });
		if (this.#schema.length > schemaHistoryMax) {
			this.#schema = this.#schema.slice(-schemaHistoryMax);
		}
		return { kind: "raised", version, c };
	}

	#register(command: PlacementCommand & { kind: "register" }): CommandResult {
		const { kind: _, previousBootId, ...fields } = command;
		const known = this.#nodes.get(command.nodeId);
		if (known === undefined) {
			return refused(`node ${command.nodeId} is not a member of this cluster`);
		}
		if (known.state === "removed") {
			return refused(`node ${command.nodeId} was removed from this cluster`);
		}
		if (known.bootId !== command.bootId && known.bootId !== previousBootId) {
			return refused(`another boot of node ${command.nodeId} has registered`);
		}
		// A version is raised only when every member of the group knows of versions: all of them refuse the same.
		const why = whyTooOld(this.clusterVersion(), command.versions ?? firstVersions);
		if (why !== undefined) {
			return refused(`node ${command.nodeId} must not join: ${why}`);
		}
		const state = known.state === "draining" ? "draining" : "live";
		const { versions: _before, ...others } = known;
		this.#nodes.set(command.nodeId, { ...others, ...fields, state });
		for (const [token, id] of this.#joins) {
			if (id === command.nodeId) {
				this.#joins.delete(token);
			}
		}
		this.#takeAddress(command.nodeId, command.address);
		return done;
	}

	/**
	 * Where one node listens no other does: what had the address before lost its directory (it
	 * joined anew) or moved.
	 */
	#takeAddress(owner: NodeId, address: string): void {
		for (const node of this.#nodes.values()) {
			if (node.nodeId !== owner && node.address === address) {
				const state = node.state === "removed" ? "removed" : "dead";
				this.#nodes.set(node.nodeId, { ...node, address: "", state });
			}
		}
	}

	#join(token: string, address: string): CommandResult {
		const known = this.#joins.get(token);
		if (known !== undefined) {
			return { kind: "joined", nodeId: known };
		}
		const id = nodeId(this.#nodeIdNext++);
		this.#joins.set(token, id);
		this.#nodes.set(id, {
			nodeId: id,
			address,
			sqlAddress: "",
			bootId: bootId(""),
			state: "suspect",
			locality: "",
			schemaVersion: 0,
		});
		return { kind: "joined", nodeId: id };
	}

	#markNode(id: NodeId, state: NodeRecord["state"]): CommandResult {
		const known = this.#nodes.get(id);
		if (known === undefined) {
			return refused(`node ${id} is not a member of this cluster`);
		}
		if (known.state === "removed" && state !== "removed") {
			return refused(`node ${id} was removed from this cluster`);
		}
		this.#nodes.set(id, { ...known, state });
		return done;
	}
}
