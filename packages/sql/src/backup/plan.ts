/** What a backup is of: written down before its first data file, and with the list of these as its manifest at the end. */
import { assert } from "@quorate/keys/assert";
import { type Key, keyMax, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { descriptorSpan, indexSpan, sequenceSpan } from "../catalog/keys.ts";

/** A part of the key space. */
export type Source = {
	/** Also what its keys held at `after`: nothing before it in the chain says so. */
	readonly base: boolean;
} & (
	| { readonly kind: "catalog" }
	| { readonly kind: "sequences" }
	/** The rows of a table. */
	| { readonly kind: "rows"; readonly indexId: number }
);

export interface BackupPlan {
	/** Random. */
	readonly id: string;
	/** Place in its chain, from 1. */
	readonly number: number;
	/** The id of the one before it in the chain. */
	readonly parent: string | undefined;
	/** Timestamps of two clusters have nothing to do with each other. */
	readonly clusterId: string;
	readonly database: string;
	/** Absent: the first one. */
	readonly databaseOid?: number;
	/** T0: where the one before ends; of a full one the same as `upTo`. */
	readonly after: Timestamp;
	/** T. */
	readonly upTo: Timestamp;
	/** In the order in which they are read. */
	readonly sources: readonly Source[];
}

/** Between two changes, in the order in which a backup is read. */
export interface Place {
	/** Index in `sources`; their count: the end. */
	readonly source: number;
	/** In hexadecimal. */
	readonly key: string;
	/** Of the key only what is above it; null: all. */
	readonly above: number | null;
}

export interface DataFileEntry {
	readonly bytes: number;
	readonly checksum: number;
	readonly changes: number;
	readonly from: Place;
	readonly to: Place;
}

export interface Manifest extends BackupPlan {
	/** In order: each begins where the one before it ends. */
	readonly files: readonly DataFileEntry[];
}

export const isFull = (plan: BackupPlan): boolean => plan.number === 1;

export const startPlace: Place = { source: 0, key: "", above: null };
export const endPlace = (plan: BackupPlan): Place => ({
	source: plan.sources.length,
	key: "",
	above: null,
});

export const samePlace = (a: Place, b: Place): boolean =>
	a.source === b.source && a.key === b.key && a.above === b.above;

export const keyHex = (k: Key): string => Buffer.from(k, "latin1").toString("hex");
export const keyOfHex = (hex: string): Key => Buffer.from(hex, "hex").toString("latin1") as Key;

export function sourceSpan(source: Source): Span {
	switch (source.kind) {
		case "catalog":
			return descriptorSpan;
		case "sequences":
			return sequenceSpan;
		case "rows":
			return indexSpan(source.indexId);
	}
}

/** The key space that is left of the source from a place on. */
export function spanFrom(source: Source, place: Place): Span {
	const span = sourceSpan(source);
	if (place.key === "") return span;
	const start = keyOfHex(place.key);
	assert(start >= span.start && start < keyMax, "a backup goes on within its source");
	return { start, end: span.end };
}

export const sameSource = (a: Source, b: Source): boolean =>
	a.kind === b.kind && (a.kind !== "rows" || b.kind !== "rows" || a.indexId === b.indexId);
