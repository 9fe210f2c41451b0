/**
 * Stops a coordinator at one message of its choice: right before it leaves, or right after. Nothing that it would have sent after that
 * leaves any more, and where answerers are to die, none of their answers arrives.
 */
import { decodeMessage, LENGTH_BYTES } from "@quorate/rpc/codec";
import * as messages from "@quorate/rpc/messages";
import type { CrashKind } from "../runtime/machine.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

/** What a coordinator sends to the range of a role, in the words of a table: "prepare anchor". */
export type Step = `${string} ${Role}`;
export type Role = "anchor" | "participant";
export type Victim = "gateway" | Role;

export interface Cast {
	readonly cluster: SimCluster;
	/** Leads nothing. */
	readonly gateway: SimNode;
	readonly anchor: SimNode;
	readonly participant: SimNode;
	/** Has a replica of everything, and lives. */
	readonly witness: SimNode;
}

export interface CrashPoint {
	/** Counted over all messages of the protocol that the transaction sends. */
	readonly at: number;
	readonly side: "before" | "after";
	readonly victims: readonly Victim[];
	readonly kind: CrashKind;
	/** From the message's leaving to the deaths, on the side after it. */
	readonly delayMs: number;
}

/** What is no step of the protocol: what comes by itself, and reads. */
const besides = new Set(["heartbeat", "inquire", "read", "scan", "status", "closed", "close"]);
const nothing = { now: new Uint8Array(), later: [] } as const;

export class Tap {
	readonly #cast: Cast;
	readonly #point: CrashPoint | undefined;
	readonly #steps: Step[] = [];
	readonly #roles: readonly Role[] = ["anchor", "participant"];
	#isDying = false;
	/** Virtual time of the deaths. */
	diedAtMs: number | undefined;

	constructor(cast: Cast, point: CrashPoint | undefined) {
		this.#cast = cast;
		this.#point = point;
		const { network } = cast.cluster.world;
		for (const role of this.#roles) {
			const { machine } = cast[role];
			network.link(cast.gateway.machine, machine).disorder = (bytes) => this.#sent(role, bytes);
			network.link(machine, cast.gateway.machine).disorder = (bytes) =>
				this.#isDying && point?.victims.includes(role) ? nothing : { now: bytes, later: [] };
		}
	}

	/** In the order of sending. */
	get steps(): readonly Step[] {
		return this.#steps;
	}

	end(): void {
		const { network } = this.#cast.cluster.world;
		for (const role of this.#roles) {
			const { machine } = this.#cast[role];
			network.link(this.#cast.gateway.machine, machine).disorder = undefined;
			network.link(machine, this.#cast.gateway.machine).disorder = undefined;
		}
	}

	#sent(role: Role, bytes: Uint8Array): { now: Uint8Array; later: readonly [] } {
		if (this.#isDying && this.#point?.victims.includes("gateway")) return nothing;
		for (const { kind, start, end } of framesOf(bytes)) {
			if (kind === undefined || besides.has(kind)) continue;
			const at = this.#steps.length;
			this.#steps.push(`${kind} ${role}`);
			if (at === this.#point?.at && !this.#isDying) return this.#strike(bytes, start, end);
		}
		return { now: bytes, later: [] };
	}

	#strike(bytes: Uint8Array, start: number, end: number): { now: Uint8Array; later: readonly [] } {
		const { side, delayMs, victims } = this.#point!;
		this.#isDying = true;
		const isBefore = side === "before";
		this.#cast.cluster.world.schedule(isBefore ? 0 : delayMs, () => this.#kill());
		// Whoever lives goes on sending; the dead take nothing any more.
		const sentBytes = !victims.includes("gateway") ? bytes.length : isBefore ? start : end;
		return { now: bytes.subarray(0, sentBytes), later: [] };
	}

	#kill(): void {
		const { victims, kind } = this.#point!;
		this.diedAtMs = this.#cast.cluster.world.nowMs;
		for (const victim of victims) this.#cast[victim].crash(kind);
	}
}

interface Frame {
	/** Of a request to a range. */
	readonly kind: string | undefined;
	readonly start: number;
	readonly end: number;
}

/** A write holds whole messages. */
function* framesOf(bytes: Uint8Array): Generator<Frame> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	for (let start = 0; start < bytes.length; ) {
		const end = start + LENGTH_BYTES + view.getUint32(start);
		yield { kind: requestKind(bytes.slice(start + LENGTH_BYTES, end)), start, end };
		start = end;
	}
}

function requestKind(message: Uint8Array): string | undefined {
	// A greeting is no array.
	if (message[0]! >> 4 !== 9) return undefined;
	const [kind, , method, body] = decodeMessage(message) as readonly unknown[];
	if (kind !== messages.CALL || method !== "range") return undefined;
	const said = (body as readonly unknown[])[3];
	return typeof said === "string" ? said : (said as { readonly kind: string }).kind;
}
