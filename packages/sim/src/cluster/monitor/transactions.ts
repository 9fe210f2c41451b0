/**
 * T1 to T5 over all ranges, from the commands as they are applied for the first time anywhere and from what readers are told.
 *
 * - T1. A transaction is decided when its Commit is applied. From then on who reads at or above its c is told what it wrote; nobody
 *   was before at or above c, neither by a value, nor by a validation of what others read.
 * - T2. No two transactions have the same c, and none a c that had been issued when its last Prepare was applied.
 * - T3. A transaction is decided once. What resolves its intents says the same.
 * - T4. The record of a transaction that has committed goes after its last intent.
 * - T5. What a client is told was committed at c was.
 */
import type { RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import { spanContains } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { transactionBegin } from "@quorate/keys/transaction-id";
import type { Command, Write } from "@quorate/replica/commands";
import type { AppliedCommand } from "@quorate/replica/observer";
import { VersionMonitor } from "./versions.ts";

interface Known {
	/** 0: aborted; undefined: not decided. */
	c: Timestamp | undefined;
	/** Its record or tombstone is gone. */
	isForgotten: boolean;
	/** The highest timestamp that was known to be issued when its last Prepare was applied. */
	floor: Timestamp;
	readonly writes: Map<Key, Write & { readonly chunk: number }>;
	/** Keys with an intent now, in the replica of each range that is ahead of the others. */
	readonly intents: Set<Key>;
}

type Of<K extends Command["kind"]> = Extract<Command, { kind: K }>;

export class TransactionMonitor {
	readonly versions: VersionMonitor;
	readonly #transactions = new Map<TransactionId, Known>();
	readonly #byTimestamp = new Map<Timestamp, TransactionId>();
	/** X: the highest of all ranges. */
	#horizon = 0 as Timestamp;
	/** Of each range, as of the last command that was applied first. */
	readonly #spans = new Map<RangeId, Span>();
	readonly #problem: (what: string) => void;

	constructor(problem: (what: string) => void) {
		this.#problem = problem;
		this.versions = new VersionMonitor(problem);
	}

	/** A command that no replica of the range has applied before. `span`: the range's, as it is after the group of entries. */
	applied(rangeId: RangeId, { envelope: { command }, result }: AppliedCommand, span: Span): void {
		switch (result.kind) {
			case "prepared":
				this.#prepared(command as Of<"prepare">);
				return;
			case "committed":
				this.#committed(command as Of<"commit" | "abort" | "one-phase">, rangeId, result.c, span);
				return;
			case "aborted":
				this.#aborted(command as Of<"commit" | "abort" | "one-phase">);
				return;
			case "split":
				this.#spans.set(rangeId, { start: span.start, end: result.right.descriptor.start });
				return;
			case "done":
				if (command.kind === "resolve") this.#resolved(command);
				if (command.kind === "forget") this.#forgotten(command);
				return;
			default:
				return;
		}
	}

	/** After the commands of a group of entries. */
	spanIs(rangeId: RangeId, span: Span): void {
		this.#spans.set(rangeId, span);
	}

	/** A client was told that its transaction has committed at c. */
	acknowledged(c: Timestamp): void {
		if (!this.#byTimestamp.has(c)) {
			this.#problem(`T5: a client was told of a commit at ${c}, which was applied nowhere`);
		}
	}

	intentOf(transaction: TransactionId, k: Key): boolean {
		return this.#transactions.get(transaction)?.intents.has(k) === true;
	}

	#prepared({ transaction, chunk, writes }: Of<"prepare">): void {
		const known = this.#of(transaction);
		for (const write of writes) {
			known.intents.add(write.key);
			if ((known.writes.get(write.key)?.chunk ?? 0) < chunk) {
				known.writes.set(write.key, { ...write, chunk });
			}
		}
		known.floor = this.versions.issued;
	}

	#committed(
		command: Of<"commit" | "abort" | "one-phase">,
		rangeId: RangeId,
		c: Timestamp,
		span: Span,
	): void {
		const { transaction } = command;
		const known = this.#of(transaction);
		if (command.kind === "commit") {
			// With the decision go the intents of single keys in the anchor's own range.
			const range = this.#spans.get(rangeId) ?? span;
			for (const { start } of command.written) {
				if (spanContains(range, start)) known.intents.delete(start);
			}
			known.intents.delete(command.anchor);
		}
		if (known.c === c) return;
		if (known.c !== undefined) {
			this.#problem(
				`T3: ${transaction} commits at ${c} after it had ${known.c === 0 ? "aborted" : `committed at ${known.c}`}`,
			);
			return;
		}
		known.c = c;
		if (command.kind === "one-phase") {
			for (const write of command.writes) known.writes.set(write.key, { ...write, chunk: 1 });
		}
		const other = this.#byTimestamp.get(c);
		if (other !== undefined) this.#problem(`T2: ${transaction} and ${other} both have c ${c}`);
		this.#byTimestamp.set(c, transaction);
		if (c <= transactionBegin(transaction) || c <= known.floor) {
			this.#problem(
				`T2: ${transaction} commits at ${c}; ${Math.max(known.floor, transactionBegin(transaction))} was issued before`,
			);
		}
		for (const { key, value, mark } of known.writes.values()) {
			if (mark !== true) this.versions.decided(transaction, key, c, value);
		}
		known.writes.clear();
	}

	#aborted(command: Of<"commit" | "abort" | "one-phase">): void {
		const known = this.#of(command.transaction);
		if (command.kind === "abort") known.intents.delete(command.anchor);
		if (known.c === undefined) known.c = 0 as Timestamp;
		else if (known.c !== 0) {
			this.#problem(`T3: ${command.transaction} aborts after it had committed at ${known.c}`);
		}
	}

	#resolved({ transaction, c, spans }: Of<"resolve">): void {
		const known = this.#of(transaction);
		for (const k of known.intents) {
			if (spans.some((span) => spanContains(span, k))) known.intents.delete(k);
		}
		if (known.c === c) return;
		// T4: of what began at or before X nobody may be able to tell any more; what it leaves is dropped, and it never commits after that.
		if (c === 0 && known.c === undefined && transactionBegin(transaction) <= this.#horizon) {
			known.c = c;
			return;
		}
		if (c === 0 && known.isForgotten) return;
		this.#problem(
			`T3: ${transaction} is resolved at ${c}, it was decided: ${known.c ?? "not yet"}`,
		);
	}

	#forgotten({ transactions }: Of<"forget">): void {
		for (const { id } of transactions) {
			const known = this.#of(id);
			this.#horizon = Math.max(this.#horizon, transactionBegin(id)) as Timestamp;
			known.isForgotten = true;
			if (known.c !== undefined && known.c !== 0 && known.intents.size > 0) {
				this.#problem(`T4: the record of ${id} goes while intents stand: ${[...known.intents]}`);
			}
		}
	}

	#of(transaction: TransactionId): Known {
		let known = this.#transactions.get(transaction);
		if (known === undefined) {
			known = {
				c: undefined,
				isForgotten: false,
				floor: 0 as Timestamp,
				writes: new Map(),
				intents: new Set(),
			};
			this.#transactions.set(transaction, known);
		}
		return known;
	}
}
