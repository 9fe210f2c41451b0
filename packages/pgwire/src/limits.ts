/** What one client may ask of a node before it is turned away. */
export interface PgLimits {
	/** A start-up packet, in bytes; PostgreSQL's own limit is 10,000. */
	readonly startupBytesMax: number;
	/** Query, Parse, Bind and CopyData, in bytes. */
	readonly messageBytesMax: number;
	/** Every other message, in bytes: they carry names and counts only. */
	readonly smallMessageBytesMax: number;
	/** How far a socket is read ahead of the statement that runs; above it the peer is paused. */
	readonly readAheadBytesMax: number;
	/** Results are handed to the socket whenever this many bytes are pending. */
	readonly outputChunkBytes: number;
	/** Open connections of all kinds; the next one is refused with 53300. */
	readonly connectionsMax: number;
	/** Of `connectionsMax`, the last ones are for superusers. */
	readonly reservedConnections: number;
	/** Connections whose start-up is not over; the next one is refused with 53300. */
	readonly startingMax: number;
	/** Start-up must be over within this time. */
	readonly startupDeadlineMs: number;
	/** After `drain()` transactions may stay open for this long; then it goes on as `close()`. */
	readonly drainDeadlineMs: number;
	/** After `close()` a connection that does not end by itself within this time is cut. */
	readonly shutdownDeadlineMs: number;
}

/** No message may be larger, whatever is configured: PostgreSQL's own limit. */
export const messageBytesCeiling = 1024 * 1024 * 1024;

/**
 * For a process that may have so many descriptors: clients take most of them and never all, since a node that cannot open a file of its
 * log stops.
 */
export function limitsForDescriptors(
	descriptors: number,
): Pick<PgLimits, "connectionsMax" | "startingMax"> {
	const forClients = descriptors - Math.max(64, Math.min(1024, Math.floor(descriptors / 4)));
	const startingMax = Math.max(1, Math.min(defaultLimits.startingMax, Math.floor(forClients / 4)));
	const connectionsMax = Math.min(defaultLimits.connectionsMax, forClients - startingMax);
	return { startingMax, connectionsMax: Math.max(1, connectionsMax) };
}

export const defaultLimits: PgLimits = {
	startupBytesMax: 10_000,
	messageBytesMax: 64 * 1024 * 1024,
	smallMessageBytesMax: 10_000,
	readAheadBytesMax: 1024 * 1024,
	outputChunkBytes: 64 * 1024,
	connectionsMax: 5000,
	reservedConnections: 3,
	startingMax: 500,
	startupDeadlineMs: 60_000,
	drainDeadlineMs: 5_000,
	shutdownDeadlineMs: 3_000,
};
