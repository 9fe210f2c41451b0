/** All versions of all keys, as transactions are decided, beside all that was read of them: T1 judged at once. */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, type Span, spanContains } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ValidateItem } from "@quorate/replica/requests";

interface Version {
	readonly c: Timestamp;
	readonly value: Uint8Array | null;
	readonly transaction: TransactionId;
}

/** Who was told, at `s`, what stands in a span. */
interface Told {
	readonly s: Timestamp;
	readonly span: Span;
	readonly own: TransactionId | null;
}

export class VersionMonitor {
	/** The highest timestamp that is known to be issued. */
	issued = 0 as Timestamp;
	/** Values that were compared. */
	compared = 0;
	/** Ascending by c. */
	readonly #versions = new Map<Key, Version[]>();
	/** Those with versions, ascending. */
	#keys: Key[] = [];
	readonly #readAt = new Map<Key, Timestamp>();
	/** Ascending by s. */
	readonly #told: Told[] = [];
	readonly #problem: (what: string) => void;

	constructor(problem: (what: string) => void) {
		this.#problem = problem;
	}

	isIssued(s: Timestamp): void {
		if (s > this.issued) this.issued = s;
	}

	decided(transaction: TransactionId, k: Key, c: Timestamp, value: Uint8Array | null): void {
		this.isIssued(c);
		// To delete what is not there changes nothing.
		if (value === null && (this.#versions.get(k)?.at(-1)?.value ?? null) === null) return;
		const readAt = this.#readAt.get(k) ?? 0;
		if (readAt >= c) this.#tooLate(transaction, k, c, readAt);
		for (let i = this.#told.length - 1; i >= 0 && this.#told[i]!.s >= c; i--) {
			const { s, span, own } = this.#told[i]!;
			if (own !== transaction && spanContains(span, k)) this.#tooLate(transaction, k, c, s);
		}
		const versions = this.#versions.get(k);
		if (versions === undefined) {
			this.#versions.set(k, [{ c, value, transaction }]);
			this.#keys.splice(this.#firstKey(k), 0, k);
			return;
		}
		let at = versions.length;
		while (at > 0 && versions[at - 1]!.c > c) at--;
		versions.splice(at, 0, { c, value, transaction });
	}

	read(k: Key, s: Timestamp, value: Uint8Array | null): void {
		this.isIssued(s);
		if (s > (this.#readAt.get(k) ?? 0)) this.#readAt.set(k, s);
		this.#compare(k, s, value);
	}

	scanned(
		span: Span,
		s: Timestamp,
		rows: readonly { readonly key: Key; readonly value: Uint8Array }[],
		own: TransactionId | null,
		isOwn: (k: Key) => boolean,
	): void {
		this.#tell({ s, span, own });
		const found = new Map(rows.map((row) => [row.key, row.value]));
		for (let i = this.#firstKey(span.start); i < this.#keys.length; i++) {
			const k = this.#keys[i]!;
			if (k >= span.end) break;
			if (!isOwn(k)) this.#compare(k, s, found.get(k) ?? null);
		}
	}

	/** Nothing but what `own` writes has changed in any item, up to c, or been deleted where it had only to be there. */
	validated(items: readonly ValidateItem[], c: Timestamp, own: TransactionId | null): void {
		for (const { span, since, present } of items) {
			this.#tell({ s: c, span, own });
			for (let i = this.#firstKey(span.start); i < this.#keys.length; i++) {
				const k = this.#keys[i]!;
				if (k >= span.end) break;
				const change = this.#versionAt(k, c);
				const isFine = change === undefined || change.c <= since || change.transaction === own;
				if (!isFine && !(present === true && change.value !== null)) {
					this.#problem(
						`step 3: ${own} validates ${k} from ${since} to ${c}: ${change.transaction} changed it at ${change.c}`,
					);
				}
			}
		}
	}

	#tell(told: Told): void {
		this.isIssued(told.s);
		let at = this.#told.length;
		while (at > 0 && this.#told[at - 1]!.s > told.s) at--;
		this.#told.splice(at, 0, told);
	}

	#compare(k: Key, s: Timestamp, value: Uint8Array | null): void {
		this.compared++;
		const expected = this.#versionAt(k, s);
		if (isEqual(expected?.value ?? null, value)) return;
		this.#problem(
			`T1: a reader of ${k} at ${s} is told ${text(value)}: ` +
				(expected === undefined
					? "nobody has written it"
					: `${expected.transaction} wrote ${text(expected.value)} at ${expected.c}`),
		);
	}

	#versionAt(k: Key, s: Timestamp): Version | undefined {
		const versions = this.#versions.get(k);
		if (versions === undefined) return undefined;
		let at = versions.length;
		while (at > 0 && versions[at - 1]!.c > s) at--;
		return versions[at - 1];
	}

	/** The place of the first key at or above. */
	#firstKey(k: Key): number {
		let [low, high] = [0, this.#keys.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#keys[middle]! < k) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	#tooLate(transaction: TransactionId, k: Key, c: Timestamp, s: Timestamp | number): void {
		this.#problem(`T1: ${transaction} writes ${k} at ${c}, somebody was told of it at ${s} before`);
	}
}

function isEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
	if (a === null || b === null) return a === b;
	return Buffer.compare(a, b) === 0;
}

const text = (value: Uint8Array | null): string =>
	value === null ? "nothing" : JSON.stringify(Buffer.from(value).toString("latin1").slice(0, 60));
