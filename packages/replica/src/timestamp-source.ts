/** What a leaseholder and a gateway need of the oracle; implemented by `packages/placement`. */
import type { Timestamp } from "@quorate/keys/timestamp";

export interface IssuedTimestamp {
	readonly timestamp: Timestamp;
	/** The schema version as of that timestamp (design, section 9). */
	readonly schemaVersion: number;
}

export interface TimestampSource {
	/**
	 * A fresh, unique timestamp, above every one issued before this call (O1, O3). All calls of one event-loop tick share a
	 * request. Rejects with `DatabaseError` 57P03 while no oracle can be reached within `timeoutMs`.
	 */
	issue(timeoutMs?: number): Promise<IssuedTimestamp>;
	/** The highest issued timestamp that this node has seen, from any source. 0 before the first. */
	seen(): Timestamp;
	/** Tells it of an issued timestamp that arrived some other way (a request, an answer), with the schema version as of it where known. */
	observe(issued: Timestamp, schemaVersion?: number): void;
}
