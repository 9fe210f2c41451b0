/**
 * What statements keep in memory: sorts, hash tables, materialized rows. Each has a limit, and all of a node have one together: memory that
 * is not there ends the process, and with it everybody's sessions.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Json, jsonSize } from "../types/json-value.ts";
import type { JsonPath } from "../types/jsonpath/path.ts";
import type { ExecRow } from "./env.ts";

/** Of one node. */
export class MemoryPool {
	readonly #limit: number;
	readonly #whose: string;
	#used = 0;

	/** In bytes. */
	constructor(limit: number, whose = "The statements that run on this node") {
		this.#limit = limit;
		this.#whose = whose;
	}

	get used(): number {
		return this.#used;
	}

	/** Throws 53200, and has taken nothing then. */
	take(bytes: number): void {
		if (this.#used + bytes > this.#limit) {
			throw new DatabaseError("53200", "out of memory", {
				detail: `${this.#whose} keep ${Math.round(this.#limit / 1048576)} MB together.`,
				hint: "Try again when others have ended, or ask for less at a time.",
			});
		}
		this.#used += bytes;
	}

	giveBack(bytes: number): void {
		this.#used -= bytes;
	}
}

/** Of one statement, or cursor. */
export class MemoryMeter {
	readonly #limit: number;
	readonly #pool: MemoryPool | undefined;
	#used = 0;

	constructor(limit: number, pool?: MemoryPool) {
		this.#limit = limit;
		this.#pool = pool;
	}

	/** Throws 53200. */
	add(row: ExecRow, error: (limit: number) => DatabaseError): void {
		const size = sizeOf(row);
		if (this.#used + size > this.#limit) throw error(this.#limit);
		this.#pool?.take(size);
		this.#used += size;
	}

	remove(row: ExecRow): void {
		const size = sizeOf(row);
		this.#used -= size;
		this.#pool?.giveBack(size);
	}

	release(): void {
		this.#pool?.giveBack(this.#used);
		this.#used = 0;
	}
}

/** Rough bytes of a row in memory. */
export function sizeOf(row: ExecRow): number {
	let size = 48 + row.length * 8;
	for (const value of row) {
		if (typeof value === "string") size += 24 + value.length;
		else if (typeof value === "object" && value !== null) size += sizeOfObject(value);
		else if (typeof value === "bigint") size += 24;
	}
	return size;
}

const wideDigits = 10n ** 60n;

function sizeOfObject(value: object): number {
	if (value instanceof Uint8Array) return 96 + value.length;
	if ("elements" in value) return 96 + sizeOf(value.elements as ExecRow);
	if ("fields" in value) return 96 + sizeOf(value.fields as ExecRow);
	if ("root" in value) return 32 + jsonSize(value.root as Json);
	if ("lax" in value) return (value as JsonPath).size;
	if (!("unscaled" in value)) return 96;
	const digits = value.unscaled as bigint;
	const isWide = digits >= wideDigits || digits <= -wideDigits;
	return 96 + (isWide ? digits.toString(16).length / 2 : 0);
}
