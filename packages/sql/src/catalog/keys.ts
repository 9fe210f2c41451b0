/**
 * Where things live in the cluster's key space. `\x01`: the catalog's own rows; `\x02`: tables, each physical index under
 * its 8-byte id. Below `\x01` are also advisory locks (`a`), the tenures that they hang on (`t`), and notifications (`q`). Nothing else writes there.
 */
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";

/** 8 bytes, big-endian, so that ids order as numbers. */
export function encodeId(id: number): string {
	const high = Math.floor(id / 0x1_0000_0000);
	const low = id >>> 0;
	return String.fromCharCode(
		(high >>> 24) & 0xff,
		(high >>> 16) & 0xff,
		(high >>> 8) & 0xff,
		high & 0xff,
		(low >>> 24) & 0xff,
		(low >>> 16) & 0xff,
		(low >>> 8) & 0xff,
		low & 0xff,
	);
}

export function decodeId(bytes: string, offset: number): number {
	let id = 0;
	for (let i = 0; i < 8; i++) id = id * 256 + bytes.charCodeAt(offset + i);
	return id;
}

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** A descriptor, by object id. */
export const descriptorKey = (oid: number): Key => key(`\x01d${encodeId(oid)}`);
/** Names of each database are by themselves. Neither schema nor name is ever empty: none of the first one's begins so. */
const namesOf = (database: number | undefined): string =>
	database === undefined ? "\x01n" : `\x01n\0\0${encodeId(database)}`;

/** The object id behind a name. A schema change that takes or frees a name reads and writes this row. `database` undefined: the first. */
export const nameKey = (schema: string, name: string, database: number | undefined): Key =>
	key(`${namesOf(database)}${utf8(schema)}\0${utf8(name)}`);
/** The object id behind the name of a type, which a relation can have as well. */
export const typeNameKey = (schema: string, name: string, database: number | undefined): Key =>
	nameKey(schema, `\0${name}`, database);
/** The object id behind the name of a schema: no schema has an empty name. */
export const schemaNameKey = (name: string, database: number | undefined): Key =>
	nameKey("", name, database);
/** Current value of a sequence. */
export const sequenceKey = (valueId: number): Key => key(`\x01s${encodeId(valueId)}`);
/** A physical index that was dropped, to be removed once the GC threshold has passed the drop (S4). */
export const droppedIndexKey = (indexId: number): Key => key(`\x01x${encodeId(indexId)}`);

/** Never written: whoever commits a schema change has it locked (`schema-lock.ts`). */
export const schemaLockKey: Key = key("\x01l");

/** A role, a schema, a database, or the rights on the first one, by object id. */
export const roleKey = (oid: number): Key => key(`\x01u${encodeId(oid)}`);
/** The object id behind a role's name. */
export const roleNameKey = (name: string): Key => key(`\x01m${utf8(name)}`);
/** The object id behind a database's name: no role has an empty name. */
export const databaseNameKey = (name: string): Key => key(`\x01m\0${utf8(name)}`);
export const roleSpan: Span = { start: key("\x01u"), end: key("\x01v") };

export const descriptorSpan: Span = { start: key("\x01d"), end: key("\x01e") };
/** A restore that is under way: what it makes of what, and how far it is. */
export const restoreKey = (id: number): Key => key(`\x01r${encodeId(id)}`);
export const restorePlaceKey = (id: number): Key => key(`\x01p${encodeId(id)}`);
export const restoreSpan: Span = { start: key("\x01r"), end: key("\x01s") };
/** How far the filling of an index is, by the object id of the index. */
export const buildKey = (oid: number): Key => key(`\x01b${encodeId(oid)}`);
export const buildSpan: Span = { start: key("\x01b"), end: key("\x01c") };
export const sequenceSpan: Span = { start: key("\x01s"), end: key("\x01t") };
export const droppedIndexSpan: Span = { start: key("\x01x"), end: key("\x01y") };

/** Prefix of all keys of a physical index. */
export const indexPrefix = (indexId: number): Key => key(`\x02${encodeId(indexId)}`);
export const indexPrefixLength = 9;
export const isIndexKey = (k: Key): boolean =>
	k.length >= indexPrefixLength && k.charCodeAt(0) === 2;
export function indexSpan(indexId: number): Span {
	const start = indexPrefix(indexId);
	return { start, end: prefixEnd(start) };
}
