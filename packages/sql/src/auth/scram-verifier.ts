/**
 * What is kept of a password: a SCRAM-SHA-256 verifier (RFC 5802, RFC 7677) in PostgreSQL's form,
 * `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`. It lets a client prove that it knows the password and does not tell the
 * password, nor does it suffice to log in.
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { DatabaseError } from "@quorate/keys/database-error";
import { saslprep } from "./saslprep.ts";

export interface ScramVerifier {
	readonly iterations: number;
	readonly salt: Buffer;
	readonly storedKey: Buffer;
	readonly serverKey: Buffer;
}

export const scramIterations = 4096;
export const scramSaltBytes = 16;
export const scramKeyBytes = 32;
/** A client computes them before it is let in: more would be an attack on it. */
const iterationsMax = 1_000_000;

export const scramHash = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export const scramHmac = (key: Uint8Array | string, text: Uint8Array | string): Buffer =>
	createHmac("sha256", key).update(text).digest();

/** PBKDF2: about 2 ms. */
export const saltedPassword = (password: string, salt: Uint8Array, iterations: number): Buffer =>
	pbkdf2Sync(saslprep(password), salt, iterations, scramKeyBytes, "sha256");

export function makeVerifier(
	password: string,
	salt: Uint8Array,
	iterations = scramIterations,
): string {
	const salted = saltedPassword(password, salt, iterations);
	const storedKey = scramHash(scramHmac(salted, "Client Key"));
	const serverKey = scramHmac(salted, "Server Key");
	const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
	return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** For a user without a password: salt and keys that look like any, and are the same each time. */
export function decoyVerifier(secret: string, user: string): string {
	const part = (what: string): Buffer => scramHmac(secret, `${what} ${user}`);
	const salt = part("salt").subarray(0, scramSaltBytes);
	const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
	return `SCRAM-SHA-256$${scramIterations}:${base64(salt)}$${base64(part("stored"))}:${base64(part("server"))}`;
}

const form =
	/^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;

/** Undefined: the text is no verifier. */
export function parseVerifier(text: string): ScramVerifier | undefined {
	const match = form.exec(text);
	if (match === null) return undefined;
	const iterations = Number(match[1]);
	if (iterations < 1 || iterations > iterationsMax) return undefined;
	const [salt, storedKey, serverKey] = match.slice(2).map((part) => Buffer.from(part, "base64"));
	return { iterations, salt: salt!, storedKey: storedKey!, serverKey: serverKey! };
}

/** To look is to hash, some 20 ms at most. */
const iterationsLookedAt = 40_000;

/** A client that hashes what it was given makes a verifier of the empty password, too. */
function isOfNothing(text: string): boolean {
	const verifier = parseVerifier(text);
	if (verifier === undefined || verifier.iterations > iterationsLookedAt) return false;
	return makeVerifier("", verifier.salt, verifier.iterations) === text;
}

/**
 * What to store for PASSWORD '...': a verifier that the client has made is kept as it is, and everything else is taken for a
 * password. Undefined: an empty password, which is none. Throws 0A000 for a hash of the MD5 method, which is no longer safe,
 * 22023 for a verifier that is too quickly tried, or takes a client too long.
 */
export function verifierFor(password: string, salt: Uint8Array): string | undefined {
	if (password === "") return undefined;
	const given = form.exec(password);
	if (given !== null) {
		const iterations = Number(given[1]);
		if (iterations >= scramIterations && iterations <= iterationsMax) {
			return isOfNothing(password) ? undefined : password;
		}
		throw new DatabaseError("22023", `a verifier of ${iterations} iterations is not taken`, {
			detail: `There have to be ${scramIterations} to ${iterationsMax}.`,
		});
	}
	if (/^md5[0-9a-f]{32}$/.test(password)) {
		throw new DatabaseError("0A000", "passwords hashed with MD5 are not supported", {
			hint: "Give the password itself, or a SCRAM-SHA-256 verifier.",
		});
	}
	return makeVerifier(password, salt);
}
