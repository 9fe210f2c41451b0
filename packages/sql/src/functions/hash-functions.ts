/**
 * hashtext and hashtextextended: the numbers PostgreSQL makes of texts (hash_bytes and hash_bytes_extended in src/common/hashfn.c, which is
 * lookup3 of Bob Jenkins), which applications take as keys of advisory locks.
 */
import type { ScalarFunction } from "../types/registry.ts";
import { pure } from "./definition.ts";

type State = [a: number, b: number, c: number];

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

function mix([a, b, c]: State): State {
	a = ((a - c) ^ rotated(c, 4)) | 0;
	c = (c + b) | 0;
	b = ((b - a) ^ rotated(a, 6)) | 0;
	a = (a + c) | 0;
	c = ((c - b) ^ rotated(b, 8)) | 0;
	b = (b + a) | 0;
	a = ((a - c) ^ rotated(c, 16)) | 0;
	c = (c + b) | 0;
	b = ((b - a) ^ rotated(a, 19)) | 0;
	a = (a + c) | 0;
	c = ((c - b) ^ rotated(b, 4)) | 0;
	b = (b + a) | 0;
	return [a, b, c];
}

function finish([a, b, c]: State): State {
	c = ((c ^ b) - rotated(b, 14)) | 0;
	a = ((a ^ c) - rotated(c, 11)) | 0;
	b = ((b ^ a) - rotated(a, 25)) | 0;
	c = ((c ^ b) - rotated(b, 16)) | 0;
	a = ((a ^ c) - rotated(c, 4)) | 0;
	b = ((b ^ a) - rotated(a, 14)) | 0;
	c = ((c ^ b) - rotated(b, 24)) | 0;
	return [a, b, c];
}

function hashBytes(text: string, seed: bigint): State {
	const bytes = Buffer.from(text, "utf8");
	const start = (0x9e3779b9 + bytes.length + 3923095) | 0;
	let state: State = [start, start, start];
	if (seed !== 0n) {
		const high = Number(BigInt.asIntN(32, seed >> 32n));
		state = mix([(start + high) | 0, (start + Number(BigInt.asIntN(32, seed))) | 0, start]);
	}
	let at = 0;
	for (; bytes.length - at >= 12; at += 12) {
		const [a, b, c] = state;
		const word = (offset: number): number => bytes.readInt32LE(at + offset);
		state = mix([(a + word(0)) | 0, (b + word(4)) | 0, (c + word(8)) | 0]);
	}
	// Of the last word the lowest byte is the length's, which is in the start already.
	for (let rest = 0; at + rest < bytes.length; rest++) {
		const place = rest < 8 ? rest : rest + 1;
		state[place >> 2]! += bytes[at + rest]! << (8 * (place & 3));
	}
	return finish([state[0] | 0, state[1] | 0, state[2] | 0]);
}

export const hashFunctions: readonly ScalarFunction[] = [
	pure("hashtext(text) -> int4", (text: string) => hashBytes(text, 0n)[2]),
	pure("hashtextextended(text, int8) -> int8", (text: string, seed: bigint) => {
		const [, high, low] = hashBytes(text, seed);
		return (BigInt(high) << 32n) | BigInt(low >>> 0);
	}),
];
