/** What travels after the greetings: arrays whose first element is the kind. */
import type { DatabaseErrorFields, ErrorData } from "@quorate/keys/database-error";
import type { ClusterId, NodeId } from "@quorate/keys/ids";
import type { Identity } from "./handshake.ts";

/** [kind, call id, method, body] */
export const CALL = 1;
/** [kind, method, body] */
export const SEND = 2;
/** [kind, call id, body] */
export const ANSWER = 3;
/** [kind, call id, ErrorData]: the handler threw a `DatabaseError`. */
export const DATABASE_ERROR = 4;
/** [kind, call id, text]: the handler threw something else, or there is none. */
export const REFUSAL = 5;
/** [kind]: asks for a PONG. From the connecting side, every second. */
export const PING = 6;
/** [kind] */
export const PONG = 7;
/** [kind, cluster id, node id]: the sender has learnt who it is since it greeted. */
export const IDENTITY = 8;

export class ProtocolError extends Error {
	override readonly name = "ProtocolError";
}

/** A peer's bytes must have this shape before anyone looks inside. */
export function checkMessage(value: unknown): readonly unknown[] {
	if (!Array.isArray(value) || typeof value[0] !== "number") {
		throw new ProtocolError("a message is not an array that starts with its kind");
	}
	return value;
}

export function checkCallId(value: unknown): number {
	if (!Number.isSafeInteger(value)) throw new ProtocolError("a call id is not an integer");
	return value as number;
}

export function checkText(value: unknown, what: string): string {
	if (typeof value !== "string") throw new ProtocolError(`${what} is not text`);
	return value;
}

export function checkErrorData(value: unknown): ErrorData {
	const data = value as Partial<ErrorData> | null | undefined;
	const fields: unknown = data?.fields;
	if (
		typeof data?.code !== "string" ||
		typeof data.message !== "string" ||
		typeof fields !== "object" ||
		fields === null
	) {
		throw new ProtocolError("an error is malformed");
	}
	return { code: data.code, message: data.message, fields: fields as DatabaseErrorFields };
}

/** The identity of a peer after its IDENTITY message. */
export function withIdentity(peer: Identity, message: readonly unknown[]): Identity {
	const [, cluster, node] = message;
	if (typeof cluster !== "string" || !Number.isSafeInteger(node)) {
		throw new ProtocolError("an identity is malformed");
	}
	return { ...peer, clusterId: cluster as ClusterId, nodeId: node as NodeId };
}
