/**
 * A key is a *binary string*: a JavaScript string whose every code unit is one byte (0 to 255). V8 stores
 * it one byte a character, `<` compares it in byte order, it is a Map key without a copy, and it joins and
 * slices cheaply. It becomes bytes only at the engine and the network (`latin1`). See docs/decisions.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
export type Key = string & { readonly [brand]: "Key" };

/** From start, inclusive, to end, exclusive. */
export interface Span {
	readonly start: Key;
	readonly end: Key;
}

export const keyMin = "" as Key;
/** Above every key: no key begins with 0xff. */
export const keyMax = "\xff" as Key;

export const key = (bytes: string): Key => bytes as Key;

export function keyToBytes(k: Key): Buffer {
	return Buffer.from(k, "latin1");
}

export function keyFromBytes(bytes: Uint8Array): Key {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as Key;
}

/** The least key above `k`. */
export const keySuccessor = (k: Key): Key => `${k}\0` as Key;

/** The least key above every key that begins with `prefix`. */
export function prefixEnd(prefix: Key): Key {
	let end = prefix.length;
	while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) {
		end--;
	}
	assert(end > 0, "a prefix of 0xff bytes only has no end");
	return (prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1)) as Key;
}

export const spanContains = (span: Span, k: Key): boolean => span.start <= k && k < span.end;
export const spansOverlap = (a: Span, b: Span): boolean => a.start < b.end && b.start < a.end;
export const pointSpan = (k: Key): Span => ({ start: k, end: keySuccessor(k) });

/** The part of the span that a page covers: all of it, or up to where the next one goes on. */
export function coveredPart(span: Span, resume: Key | null | undefined, reverse: boolean): Span {
	if (resume == null) {
		return span;
	}
	return reverse ? { start: resume, end: span.end } : { start: span.start, end: resume };
}

/** The key of which `formatKey` has made the text. */
export const parseKey = (text: string): Key =>
	text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
		String.fromCharCode(Number.parseInt(hex, 16)),
	) as Key;

/** Readable form for logs and errors: printable ASCII as it is, the rest as \xNN. */
export function formatKey(k: Key): string {
	let out = "";
	for (const char of k) {
		const code = char.charCodeAt(0);
		out +=
			code >= 0x20 && code < 0x7f && char !== "\\"
				? char
				: `\\x${code.toString(16).padStart(2, "0")}`;
	}
	return out;
}
