/**
 * What goes through the placement group's log: versioned plain objects as JSON (a few entries a
 * second at most, read by people when something is wrong). Whoever proposes one has checked what
 * came from outside: apply only asserts.
 */
import { assert } from "@quorate/keys/assert";
import type { VersionSpan } from "@quorate/keys/cluster-version";
import type { BootId, NodeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { IdKind, NodeRecord, PlacementEvent } from "./types.ts";

/** Raised when the meaning of an entry changes; an entry of a newer format stops the node. 2: a setting may be null. 3: events. */
const commandFormat = 3;
const oldestFormat = 1;

export type PlacementCommand =
	/** O2: timestamps below `value` may be handed out from the moment this is applied. */
	| { readonly kind: "ceiling"; readonly value: Timestamp }
	/** S1: the schema version rises by one as of `c`, which is issued by this very entry. */
	| { readonly kind: "raise-schema"; readonly c: Timestamp }
	/** A boot of a node begins, and the boot before it has ended. */
	| {
			readonly kind: "register";
			readonly nodeId: NodeId;
			readonly address: string;
			readonly sqlAddress: string;
			readonly bootId: BootId;
			/**
			 * The boot that the node saw registered before: a late copy of an older boot's request
			 * finds another one and is refused.
			 */
			readonly previousBootId: BootId;
			readonly locality: string;
			/** Absent: of a build from before there were versions of the cluster. */
			readonly versions?: VersionSpan;
			/** Absent: there is none, or it is not known. Builds that do not know of it keep it. */
			readonly certificate?: string;
	  }
	/** A node without identity wants a node id. `token` makes the request repeatable. */
	| { readonly kind: "join"; readonly token: string; readonly address: string }
	| {
			readonly kind: "mark-node";
			readonly nodeId: NodeId;
			readonly state: NodeRecord["state"];
	  }
	| { readonly kind: "allocate"; readonly id: IdKind; readonly count: number }
	/** Leaseholders tell their descriptors; older epochs change nothing. */
	| { readonly kind: "report"; readonly ranges: readonly RangeInfo[] }
	/** Something was decided. Its id is given at apply. */
	| { readonly kind: "event"; readonly event: Omit<PlacementEvent, "id"> }
	/** What became of it. */
	| {
			readonly kind: "event-end";
			readonly id: number;
			readonly outcome: string;
			readonly bytes: number | null;
			readonly tookMs: number | null;
	  }
	/** Null: it goes back to its default. The active version of the cluster is among them, and only rises. */
	| { readonly kind: "set"; readonly name: string; readonly value: string | null };

/** What applying a command answers to whoever proposed it. Not replicated. */
export type CommandResult =
	| { readonly kind: "done" }
	| { readonly kind: "refused"; readonly reason: string }
	| { readonly kind: "allocated"; readonly first: number }
	| { readonly kind: "recorded"; readonly id: number }
	| { readonly kind: "joined"; readonly nodeId: NodeId }
	| { readonly kind: "raised"; readonly version: number; readonly c: Timestamp };

export function encodeCommand(command: PlacementCommand): Uint8Array {
	return Buffer.from(JSON.stringify({ v: commandFormat, ...command }), "utf8");
}

export function decodeCommand(bytes: Uint8Array): PlacementCommand {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const { v, ...command } = JSON.parse(text) as PlacementCommand & { v: number };
	assert(
		v >= oldestFormat && v <= commandFormat,
		() => `placement log entry has format ${v}, this build reads up to ${commandFormat}`,
	);
	return command as PlacementCommand;
}
