/**
 * How temporary objects are told from others: by the schema that they are in, which is their session's alone, and what is stored of
 * them by its key. Neither ever reaches the cluster (`session/temporary-objects.ts`).
 */
import { assert } from "@quorate/keys/assert";
import type { Key } from "@quorate/keys/key";

/** What every session calls its own schema. */
export const temporaryAlias = "pg_temp";
const prefix = "pg_temp_";

/** No other schema may be called like that: names that begin with pg_ are the system's. */
export const isTemporarySchema = (name: string): boolean => name.startsWith(prefix);
export const temporarySchemaOf = (process: number): string => `${prefix}${process}`;
export const isTemporary = ({ schema }: { readonly schema: string }): boolean =>
	isTemporarySchema(schema);

/** Ids of indexes and of sequences' values, as far above those of the cluster as no cluster gets. */
const idsFrom = 2 ** 52;
const markByte = 0x10;

export function temporaryId(id: number): number {
	assert(id < 2 ** 48, () => `object id ${id} is out of range`);
	return idsFrom + id;
}

export const isTemporaryId = (id: number): boolean => id >= idsFrom;

/** Of a row, or of a sequence's value: what begins with such an id (`keys.ts`). */
export function isTemporaryKey(k: Key): boolean {
	const kind = k.charCodeAt(0);
	if (kind === 2) return k.charCodeAt(2) === markByte;
	return kind === 1 && k.charCodeAt(1) === 0x73 && k.charCodeAt(3) === markByte;
}
