/** What both ends of a connection need of the `Rpc` that they belong to. */
import type { ErrorData } from "@quorate/keys/database-error";
import type { BootId, NodeId } from "@quorate/keys/ids";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Dispatcher } from "./dispatcher.ts";
import type { Greeting, Identity } from "./handshake.ts";
import type { InboundConnection } from "./inbound-connection.ts";
import type { OutboundLink } from "./outbound-link.ts";
import type { PendingCalls } from "./pending-calls.ts";

export interface LinkContext {
	readonly runtime: Runtime;
	readonly dispatcher: Dispatcher;
	readonly pending: PendingCalls;
	/** Who this process is, as of now. */
	identity(): Identity;
	/** Where that node listens, as far as this one knows. */
	knownAddress(node: NodeId): string | undefined;
	/** Why a peer is no node of the cluster any more, by its identity or by the certificate that it shows; undefined: it may be one. */
	whyBarred(node: NodeId | undefined, certificate: string | undefined): string | undefined;
	/** A peer says so of this process. */
	barred(why: string): void;
	/** Whether that process was heard lately on a connection that it made itself. */
	hears(boot: BootId): boolean;
	/** A greeting was accepted, or a peer learnt who it is. */
	peerKnown(peer: Identity): void;
	/** An established link broke. */
	linkLost(link: OutboundLink, peer: Identity): void;
	/** A process has connected anew: its earlier connection by the same link ends. */
	superseded(by: InboundConnection, greeting: Greeting): void;
	inboundClosed(connection: InboundConnection): void;
	databaseError(callId: number, data: ErrorData): void;
}

/** Messages may queue up to here for one peer; then `send` drops and `call` fails. */
export const QUEUED_BYTES_MAX = 64 * 1024 * 1024;
/** How often links are looked at and pinged. */
export const TICK_MS = 500;
/**
 * Silence is counted in ticks, not in time: a process that was stopped for a while must not take its own pause
 * for the silence of its peers before it has read what they sent meanwhile.
 */
export const SILENT_TICKS_MAX = 4;
/**
 * A peer that pings us and does not answer is busy with what it was sent before: to break the connection would have it sent again. Not for
 * longer than this, for a single connection may be cut as well.
 */
export const BUSY_TICKS_MAX = 20;
