/**
 * What is to be seen to where replicas of a range are put: how many, where (`+region=eu`) and where not (`-zone=b`), and where its lease
 * is to be. Made from what users have configured of tables and of the database; followed by the scheduler.
 */
import type { Key, Span } from "./key.ts";
import { formatTier, hasTier, type Locality, parseLocality, type Tier } from "./locality.ts";

export interface Constraint {
	/** Else it is a prohibited one. */
	readonly isRequired: boolean;
	readonly tier: Tier;
}

export interface PlacementRule {
	readonly replicas: number;
	/** Each replica is to satisfy all of them. */
	readonly constraints: readonly Constraint[];
	/** The lease is to be on a node that is in all of these; none: anywhere. */
	readonly leasePreference: Locality;
	/** Somebody has said so: where it cannot be followed, that is worth telling. */
	readonly isConfigured: boolean;
}

export const replicaCounts: readonly number[] = [1, 3, 5];
export const constraintsMax = 16;

export const defaultRule: PlacementRule = {
	replicas: 3,
	constraints: [],
	leasePreference: [],
	isConfigured: false,
};

/** `+region=eu,-zone=b`; undefined: not of that form. */
export function parseConstraints(text: string): readonly Constraint[] | undefined {
	if (text.trim() === "") return [];
	const constraints: Constraint[] = [];
	for (const part of text.split(",").map((p) => p.trim())) {
		const [tier, ...others] = parseLocality(part.slice(1)) ?? [];
		if (!/^[+-]/.test(part) || tier === undefined || others.length > 0) return undefined;
		constraints.push({ isRequired: part.startsWith("+"), tier });
	}
	return constraints.length > constraintsMax ? undefined : constraints;
}

export const formatConstraints = (constraints: readonly Constraint[]): string =>
	constraints.map(({ isRequired, tier }) => `${isRequired ? "+" : "-"}${formatTier(tier)}`).join();

export const isAllowed = ({ constraints }: PlacementRule, locality: Locality): boolean =>
	constraints.every(({ isRequired, tier }) => hasTier(locality, tier) === isRequired);

/** Whether a node there is one that the rule wants the lease on. */
export const isPreferred = ({ leasePreference }: PlacementRule, locality: Locality): boolean =>
	leasePreference.length > 0 && leasePreference.every((tier) => hasTier(locality, tier));

export interface RuledSpan {
	readonly span: Span;
	readonly rule: PlacementRule;
}

/** Which rule holds for which keys. */
export class PlacementRules {
	/** For all keys that nothing else is said of. */
	readonly base: PlacementRule;
	/** By start; they do not overlap. */
	readonly #spans: readonly RuledSpan[];

	constructor(base: PlacementRule = defaultRule, spans: readonly RuledSpan[] = []) {
		this.base = base;
		this.#spans = [...spans].sort((a, b) => (a.span.start < b.span.start ? -1 : 1));
	}

	/** One rule holds for everything. */
	get isUniform(): boolean {
		return this.#spans.length === 0;
	}

	/** Of the range that begins there: what lies behind a border in it follows when the range has been split at that. */
	at(k: Key): PlacementRule {
		if (this.isUniform) return this.base;
		const found = this.#spans[this.#after(k) - 1];
		return found !== undefined && k < found.span.end ? found.rule : this.base;
	}

	/** The keys within, and not at, the ends of a span at which a range must begin since another rule holds from there on. */
	borders({ start, end }: Span): readonly Key[] {
		const found: Key[] = [];
		for (let i = Math.max(0, this.#after(start) - 1); i < this.#spans.length; i++) {
			const { span } = this.#spans[i]!;
			if (span.start >= end) break;
			for (const k of [span.start, span.end]) {
				if (k > start && k < end && k !== found.at(-1) && this.#divides(k)) found.push(k);
			}
		}
		return found;
	}

	/** Whether one range may hold what is on both sides of a key. */
	#divides(k: Key): boolean {
		const at = this.#after(k);
		const here = this.#spans[at - 1];
		const left = here?.span.start === k ? this.#spans[at - 2] : here;
		const before = left !== undefined && left.span.end >= k ? left.rule : this.base;
		return !isSameRule(before, this.at(k));
	}

	/** How many of the spans begin at or before a key. */
	#after(k: Key): number {
		let [low, high] = [0, this.#spans.length];
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#spans[middle]!.span.start <= k) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

export const isSameRule = (a: PlacementRule, b: PlacementRule): boolean =>
	a === b ||
	(a.replicas === b.replicas &&
		formatConstraints(a.constraints) === formatConstraints(b.constraints) &&
		a.leasePreference.map(formatTier).join() === b.leasePreference.map(formatTier).join());
