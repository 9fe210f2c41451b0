/** What PostgreSQL's contributed modules uuid-ossp and pgcrypto have of identifiers, digests and random bytes (contrib/uuid-ossp, contrib/pgcrypto). */
import { createHash, createHmac } from "node:crypto";
import { DatabaseError } from "@quorate/keys/database-error";
import { uuidFromHex } from "../types/bytes-types.ts";
import { invalidParameter } from "../types/errors.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { contextual, pure, volatile } from "./definition.ts";

/** As RFC 4122 marks the version and the variant. */
function uuidOf(bytes: Uint8Array, version: number): string {
	const out = Buffer.from(bytes.subarray(0, 16));
	out[6] = (out[6]! & 0x0f) | (version << 4);
	out[8] = (out[8]! & 0x3f) | 0x80;
	return uuidFromHex(out.toString("hex"));
}

export const randomUuid = (context: FunctionContext): string => uuidOf(context.randomBytes(16), 4);

/** From 1582-10-15 to 2000-01-01, in units of 100 ns. */
const gregorianEpoch = 131_659_776_000_000_000n;

/** With a random node in the place of an address of the machine, whose multicast bit says so (RFC 4122, 4.5). */
function timeUuid(context: FunctionContext): string {
	const random = context.randomBytes(8);
	random[2] = random[2]! | 0x01;
	const ticks = context.clockNow() * 10n + gregorianEpoch;
	const out = Buffer.alloc(16);
	out.writeUInt32BE(Number(ticks & 0xffff_ffffn), 0);
	out.writeUInt16BE(Number((ticks >> 32n) & 0xffffn), 4);
	out.writeUInt16BE(Number((ticks >> 48n) & 0x0fffn), 6);
	out.set(random, 8);
	return uuidOf(out, 1);
}

const namedUuid =
	(algorithm: "md5" | "sha1", version: number) =>
	(namespace: string, name: string): string => {
		const space = Buffer.from(namespace.replaceAll("-", ""), "hex");
		return uuidOf(createHash(algorithm).update(space).update(name, "utf8").digest(), version);
	};

/** RFC 4122, appendix C. */
const namespaces: Readonly<Record<string, string>> = {
	uuid_nil: "00000000-0000-0000-0000-000000000000",
	uuid_ns_dns: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	uuid_ns_url: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
	uuid_ns_oid: "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
	uuid_ns_x500: "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
};

const algorithms = new Set(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]);

/** Throws 22023. */
function algorithmOf(name: string, what: string): string {
	const lower = name.toLowerCase();
	if (algorithms.has(lower)) return lower;
	throw invalidParameter(`Cannot use "${name}": No such ${what} algorithm`);
}

const digest = (data: string | Uint8Array, name: string): Uint8Array =>
	createHash(algorithmOf(name, "hash")).update(data).digest();

const hmac = (data: string | Uint8Array, key: string | Uint8Array, name: string): Uint8Array =>
	createHmac(algorithmOf(name, "hash"), key).update(data).digest();

function randomBytes(count: number, context: FunctionContext): Uint8Array {
	if (count < 1 || count > 1024) {
		throw new DatabaseError("39000", "Length not in range");
	}
	return context.randomBytes(count);
}

export const uuidFunctions: readonly ScalarFunction[] = [
	...["gen_random_uuid", "uuid_generate_v4"].map((name) =>
		contextual(`${name}() -> uuid`, volatile, (_args, context) => randomUuid(context)),
	),
	...["uuid_generate_v1", "uuid_generate_v1mc"].map((name) =>
		contextual(`${name}() -> uuid`, volatile, (_args, context) => timeUuid(context)),
	),
	pure("uuid_generate_v3(uuid, text) -> uuid", namedUuid("md5", 3)),
	pure("uuid_generate_v5(uuid, text) -> uuid", namedUuid("sha1", 5)),
	...Object.entries(namespaces).map(([name, value]) => pure(`${name}() -> uuid`, () => value)),
	pure("digest(text, text) -> bytea", digest),
	pure("digest(bytea, text) -> bytea", digest),
	pure("hmac(text, text, text) -> bytea", hmac),
	pure("hmac(bytea, bytea, text) -> bytea", hmac),
	contextual("gen_random_bytes(int4) -> bytea", volatile, ([count], context) =>
		randomBytes(count as number, context),
	),
];
