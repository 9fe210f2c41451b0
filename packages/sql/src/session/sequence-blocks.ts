/**
 * nextval, setval, and reading a sequence. Each is a small transaction of its own, as PostgreSQL's sequences do not roll back; only a sequence
 * with CACHE hands out a block to this node, and what is left of it is lost with the node.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime } from "@quorate/runtime/runtime";
import { neverCancelled } from "@quorate/txn/own-transactions";
import type { Transaction, TransactionCoordinator } from "@quorate/txn/types";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import { sequenceKey } from "../catalog/keys.ts";
import { retrying } from "./retry.ts";

/** What is stored under the sequence's key. */
export interface SequenceValue {
	readonly last: bigint;
	readonly called: boolean;
}

interface Block {
	next: bigint;
	left: number;
}

export const encodeSequenceValue = (value: SequenceValue): Uint8Array =>
	Buffer.from(
		JSON.stringify({ format: 1, last: String(value.last), called: value.called }),
		"utf8",
	);

export function decodeSequenceValue(bytes: Uint8Array): SequenceValue {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const stored = JSON.parse(text) as { format: number; last: string; called: boolean };
	if (stored.format !== 1) {
		throw new DatabaseError("0A000", `sequence value has format ${stored.format}`, {
			hint: "Upgrade this node.",
		});
	}
	return { last: BigInt(stored.last), called: stored.called };
}

export class SequenceBlocks {
	readonly #runtime: Runtime;
	readonly #coordinator: TransactionCoordinator;
	readonly #schemaVersion: () => number;
	/** By value id. */
	readonly #blocks = new Map<number, Block>();

	constructor(runtime: Runtime, coordinator: TransactionCoordinator, schemaVersion: () => number) {
		this.#runtime = runtime;
		this.#coordinator = coordinator;
		this.#schemaVersion = schemaVersion;
	}

	async next(sequence: SequenceDescriptor): Promise<bigint> {
		const block = this.#blocks.get(sequence.valueId);
		if (block !== undefined && block.left > 0) {
			const value = block.next;
			block.next += BigInt(sequence.increment);
			block.left--;
			return value;
		}
		const { first, count } = await this.#change(sequence, (stored) => advance(sequence, stored));
		if (count > 1) {
			const increment = BigInt(sequence.increment);
			this.#blocks.set(sequence.valueId, { next: first + increment, left: count - 1 });
		}
		return first;
	}

	/** Values at once, for as many rows; there may be fewer. None is kept for others. */
	take(
		sequence: SequenceDescriptor,
		count: number,
	): Promise<{ readonly first: bigint; readonly count: number }> {
		return this.#change(sequence, (stored) => advance({ ...sequence, cache: count }, stored));
	}

	async set(sequence: SequenceDescriptor, value: bigint, called: boolean): Promise<void> {
		requireBounds(sequence, value);
		this.#blocks.delete(sequence.valueId);
		await this.#change(sequence, () => ({
			stored: { last: value, called },
			result: { first: value, count: 1 },
		}));
	}

	/** Where it stands, blocks that nodes keep included. */
	read(sequence: SequenceDescriptor): Promise<SequenceValue> {
		return retrying(this.#runtime, async () => {
			const transaction = this.#begin();
			try {
				const [bytes] = await transaction.get([sequenceKey(sequence.valueId)]);
				await transaction.commit();
				if (bytes !== undefined) return decodeSequenceValue(bytes);
				return firstValue(sequence);
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
	}

	#change(
		sequence: SequenceDescriptor,
		change: (stored: SequenceValue | undefined) => {
			readonly stored: SequenceValue;
			readonly result: { readonly first: bigint; readonly count: number };
		},
	): Promise<{ readonly first: bigint; readonly count: number }> {
		const key = sequenceKey(sequence.valueId);
		return retrying(this.#runtime, async () => {
			const transaction = this.#begin();
			try {
				const [bytes] = await transaction.get([key], { strength: "update", wait: "block" });
				const { stored, result } = change(bytes && decodeSequenceValue(bytes));
				transaction.put(key, encodeSequenceValue(stored));
				await transaction.commit();
				return result;
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
	}

	#begin(): Transaction {
		const transaction = this.#coordinator.begin({
			isolation: "serializable",
			mode: "pessimistic",
			readOnly: false,
			lockTimeoutMs: 0,
			schemaVersion: this.#schemaVersion(),
		});
		transaction.beginStatement(neverCancelled);
		return transaction;
	}
}

/** As it is before anybody has asked. */
export const firstValue = (sequence: SequenceDescriptor): SequenceValue => ({
	last: BigInt(sequence.restart ?? sequence.start),
	called: false,
});

/** Throws 22003. */
export function requireBounds({ name, min, max }: SequenceDescriptor, value: bigint): void {
	if (value >= BigInt(min) && value <= BigInt(max)) return;
	throw new DatabaseError(
		"22003",
		`setval: value ${value} is out of bounds for sequence "${name}" (${min}..${max})`,
	);
}

export function advance(
	sequence: SequenceDescriptor,
	stored: SequenceValue | undefined,
): {
	readonly stored: SequenceValue;
	readonly result: { readonly first: bigint; readonly count: number };
} {
	const increment = BigInt(sequence.increment);
	const [min, max] = [BigInt(sequence.min), BigInt(sequence.max)];
	const { last: before, called } = stored ?? firstValue(sequence);
	let first = called ? before + increment : before;
	if (first > max || first < min) {
		if (!sequence.cycle) {
			const [bound, what] = increment > 0n ? [max, "maximum"] : [min, "minimum"];
			throw new DatabaseError(
				"2200H",
				`nextval: reached ${what} value of sequence "${sequence.name}" (${bound})`,
			);
		}
		first = increment > 0n ? min : max;
	}
	let count = 1;
	let last = first;
	while (count < sequence.cache && last + increment <= max && last + increment >= min) {
		last += increment;
		count++;
	}
	return { stored: { last, called: true }, result: { first, count } };
}
