/**
 * RFC 5929, section 4.1: a certificate is hashed with the hash function of its own signature, or SHA-256 where that is MD5, SHA-1,
 * or none that stands alone (Ed25519).
 */
import { createHash, X509Certificate } from "node:crypto";

/** Signature algorithms by OID, and the hash within them. */
const hashes: Readonly<Record<string, string>> = {
	"1.2.840.113549.1.1.12": "sha384",
	"1.2.840.113549.1.1.13": "sha512",
	"1.2.840.10045.4.3.3": "sha384",
	"1.2.840.10045.4.3.4": "sha512",
};

export function endpointHash(pem: string): Uint8Array {
	const { raw } = new X509Certificate(pem);
	return createHash(hashes[signatureAlgorithm(raw)] ?? "sha256")
		.update(raw)
		.digest();
}

interface Element {
	readonly tag: number;
	readonly start: number;
	readonly end: number;
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, ... }, signature }. */
function signatureAlgorithm(der: Uint8Array): string {
	const certificate = elementAt(der, 0);
	const signed = elementAt(der, certificate.start);
	const algorithm = elementAt(der, signed.end);
	const oid = elementAt(der, algorithm.start);
	return oidText(der.subarray(oid.start, oid.end));
}

function elementAt(der: Uint8Array, at: number): Element {
	const tag = der[at] ?? 0;
	const first = der[at + 1] ?? 0;
	if (first < 0x80) return { tag, start: at + 2, end: at + 2 + first };
	const count = first & 0x7f;
	let length = 0;
	for (let i = 0; i < count; i++) length = length * 256 + (der[at + 2 + i] ?? 0);
	return { tag, start: at + 2 + count, end: at + 2 + count + length };
}

function oidText(bytes: Uint8Array): string {
	const [first = 0, ...rest] = bytes;
	const parts = [Math.floor(first / 40), first % 40];
	let value = 0;
	for (const byte of rest) {
		value = value * 128 + (byte & 0x7f);
		if (byte < 0x80) {
			parts.push(value);
			value = 0;
		}
	}
	return parts.join(".");
}
