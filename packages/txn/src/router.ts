/**
 * From keys to leaseholders: a cache of descriptors, and requests that find their range again when it moved. An answer that says
 * "nothing was done" (stale, not the leaseholder, not delivered) is routed again here; one whose fate is unknown is
 * repeated only if the request is idempotent.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError, errorFromData } from "@quorate/keys/database-error";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import { formatKey, type Key, keyMax, type Span } from "@quorate/keys/key";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import { isNewerEpoch } from "@quorate/keys/range";
import type { PlacementClient } from "@quorate/placement/types";
import { answerFromWire, requestToWire } from "@quorate/replica/range-wire";
import type { RangeAnswer, RangeRequest, RangeRequestBody } from "@quorate/replica/requests";
import { type Rpc, RpcError } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { conflictError } from "./conflict-error.ts";
import { RangeCache } from "./range-cache.ts";

export interface RouterOptions {
	readonly runtime: Runtime;
	readonly nodeId: NodeId;
	readonly rpc: Rpc;
	readonly placement: PlacementClient;
	/** Serves a request for a range of this node without the network. */
	local(q: RangeRequest): RangeAnswer | Promise<RangeAnswer>;
}

export interface RequestOptions {
	/** May be sent again when its fate is unknown. */
	readonly idempotent: boolean;
	/** Of one attempt. Lock waits may take long; a dead peer is noticed by the connection. */
	readonly attemptMs?: number;
	/** In all, until the range counts as unavailable. */
	readonly totalMs?: number;
}

/** One part of a request that may touch several ranges. */
export interface Part<T> {
	readonly info: RangeInfo;
	readonly items: readonly T[];
}

interface Unreachable {
	readonly kind: "unreachable";
	readonly why: string;
	/** The connection broke. */
	readonly isLost: boolean;
}

const attemptMs = 5_000;
const totalMs = 10_000;
const backoffMs = { first: 5, most: 200 };

export class RangeRouter {
	readonly #options: RouterOptions;
	readonly #cache = new RangeCache();

	constructor(options: RouterOptions) {
		this.#options = options;
	}

	/** The range that holds `k`, from the cache or the directory. */
	async rangeOf(k: Key): Promise<RangeInfo> {
		return this.#cache.find(k) ?? this.#load(k);
	}

	/** Only from the cache. */
	cachedRangeOf(k: Key): RangeInfo | undefined {
		return this.#cache.find(k);
	}

	/**
	 * One attempt at the leaseholder of a cached range, if that is this node: without a promise where nothing must be waited for.
	 * Whoever gets `stale` or `not-leaseholder` goes the long way (`request`), which learns from it.
	 */
	here(info: RangeInfo, body: RangeRequestBody): RangeAnswer | Promise<RangeAnswer> | undefined {
		if (info.leaseholder !== this.#options.nodeId) {
			return undefined;
		}
		const { rangeId, epoch } = info.descriptor;
		const seen = this.#options.placement.seen();
		return this.#options.local({ rangeId, version: epoch.version, seen, body });
	}

	/**
	 * What this node's replica of the range of `k` answers without leading it (F2). Undefined: it has none, leads it itself, or cannot
	 * tell; then the leaseholder is asked.
	 */
	async replicaHere(k: Key, body: RangeRequestBody): Promise<RangeAnswer | undefined> {
		const { nodeId, placement } = this.#options;
		const info = await this.rangeOf(k);
		const { rangeId, epoch, replicas } = info.descriptor;
		if (info.leaseholder === nodeId || !replicas.some((r) => r.nodeId === nodeId)) {
			return undefined;
		}
		const seen = placement.seen();
		const answer = await this.#options.local({ rangeId, version: epoch.version, seen, body });
		const isElsewhere = answer.kind === "stale" || answer.kind === "not-leaseholder";
		return isElsewhere ? undefined : answer;
	}

	/**
	 * What this node's replicas report: of a lease that came here nobody else could tell sooner, and whoever asks first would wait
	 * for the leaseholder before, which may be dead.
	 */
	learn(ranges: readonly RangeInfo[]): void {
		for (const range of ranges) {
			if (range.leaseholder === this.#options.nodeId) {
				this.#cache.put(range);
			}
		}
	}

	/** What this node keeps of a range: who knows the same here keeps the same objects. */
	share(info: RangeInfo): void {
		this.#cache.share(info);
	}

	/** A node that stops says to whom it has given a lease: who asked it next would find nobody. */
	leaseMoved(rangeId: RangeId, from: NodeId, to: NodeId): void {
		this.#cache.moveLease(rangeId, from, to);
	}

	/** The node has refused: whoever asks next finds out who does. */
	doesNotLead(k: Key, node: NodeId): void {
		const info = this.#cache.find(k);
		if (info?.leaseholder === node) {
			this.#cache.forgetLeaseholder(info.descriptor.rangeId);
		}
	}

	/** The range that holds the keys just below `end`. */
	async rangeBefore(end: Key): Promise<RangeInfo> {
		const cached = this.#cache.findBefore(end);
		if (cached !== undefined) {
			return cached;
		}
		const ranges = await this.#options.placement.lookup("" as Key, end, Number.MAX_SAFE_INTEGER);
		for (const range of ranges) {
			this.#cache.put(range);
		}
		const found = ranges.find((x) => x.descriptor.start < end && x.descriptor.end >= end);
		return found ?? unavailable(end, "the directory does not know it");
	}

	async #load(k: Key): Promise<RangeInfo> {
		const ranges = await this.#options.placement.lookup(k, keyMax, 16);
		for (const range of ranges) {
			this.#cache.put(range);
		}
		const found = ranges.find((x) => x.descriptor.start <= k && k < x.descriptor.end);
		return found ?? unavailable(k, "the directory does not know it");
	}

	/** All ranges of a span, in order, fresh from the directory. */
	async rangesOf(span: Span): Promise<readonly RangeInfo[]> {
		const max = Number.MAX_SAFE_INTEGER;
		const ranges = await this.#options.placement.lookup(span.start, span.end, max);
		for (const range of ranges) {
			this.#cache.put(range);
		}
		return ranges;
	}

	/** Groups items by the range of their keys, in key order of the ranges. */
	async byRange<T>(items: readonly T[], keyOf: (item: T) => Key): Promise<Part<T>[]> {
		const groups = new Map<number, { info: RangeInfo; items: T[] }>();
		for (const item of items) {
			const k = keyOf(item);
			const info = this.#cache.find(k) ?? (await this.#load(k));
			const group = groups.get(info.descriptor.rangeId);
			if (group === undefined) {
				groups.set(info.descriptor.rangeId, { info, items: [item] });
			} else {
				group.items.push(item);
			}
		}
		return [...groups.values()];
	}

	/** Cut at range borders, and grouped by range. `key`: one of its keys. */
	async spansByRange(
		spans: readonly Span[],
	): Promise<readonly { readonly key: Key; readonly spans: readonly Span[] }[]> {
		const groups = new Map<number, { key: Key; spans: Span[] }>();
		for (const { info, span } of await this.cut(spans)) {
			const { rangeId } = info.descriptor;
			const group = groups.get(rangeId);
			if (group === undefined) {
				groups.set(rangeId, { key: span.start, spans: [span] });
			} else {
				group.spans.push(span);
			}
		}
		return [...groups.values()];
	}

	/** Cuts spans at range borders. */
	async cut(spans: readonly Span[]): Promise<{ readonly info: RangeInfo; readonly span: Span }[]> {
		const parts: { info: RangeInfo; span: Span }[] = [];
		for (const span of spans) {
			let { start } = span;
			while (start < span.end) {
				const info = this.#cache.find(start) ?? (await this.#load(start));
				const end = info.descriptor.end < span.end ? info.descriptor.end : span.end;
				parts.push({ info, span: { start, end } });
				start = end;
			}
		}
		return parts;
	}

	/**
	 * One request to the leaseholder of the range of `k`. The answer is never `not-leaseholder`; `stale` is given back when the range
	 * that holds `k` changed, so that the caller groups its keys anew; `lost` only for requests that are not idempotent.
	 */
	async request(k: Key, body: RangeRequestBody, options: RequestOptions): Promise<RangeAnswer> {
		const { clock } = this.#options.runtime;
		const patienceMs = options.totalMs ?? totalMs;
		let deadline = clock.monotonicMs() + patienceMs;
		let info = this.#cache.find(k) ?? (await this.#load(k));
		let why = "";
		/** Who refused since the directory was last asked: hints may be as old as whoever gives them. */
		const tried: NodeId[] = [];
		for (let attempt = 0; ; attempt++) {
			const target = untried(info, tried);
			if (target === undefined) {
				tried.length = 0;
				const { version } = info.descriptor.epoch;
				info = await this.#reload(k, info);
				if (info.descriptor.epoch.version !== version) {
					return { kind: "stale", ranges: [info.descriptor] };
				}
				continue;
			}
			tried.push(target);
			const sentMs = clock.monotonicMs();
			const asked = this.#attempt(target, info, body, options);
			const answer = asked instanceof Promise ? await asked : asked;
			switch (answer.kind) {
				case "stale":
					this.#learn(answer.ranges, info);
					return answer;
				case "not-leaseholder": {
					why = `node ${target} does not hold its lease`;
					if (answer.served === true) {
						// However long it has waited for its lock, the range was available until now.
						deadline = clock.monotonicMs() + patienceMs;
					}
					const before = info;
					info = await this.#afterRefusal(k, info, answer);
					if (info.descriptor.epoch.version !== before.descriptor.epoch.version) {
						return { kind: "stale", ranges: [info.descriptor] };
					}
					break;
				}
				case "unreachable":
					why = `node ${target}: ${answer.why}`;
					if (answer.isLost && clock.monotonicMs() - sentMs > attemptMs) {
						// So it was here, until the connection broke: that of a dead peer does so sooner.
						deadline = clock.monotonicMs() + patienceMs;
					}
					this.#cache.forgetLeaseholder(info.descriptor.rangeId);
					info = { descriptor: info.descriptor, leaseholder: undefined };
					break;
				default:
					if (info.leaseholder !== target && answer.kind !== "error") {
						this.#learnLeaseholder(k, info, target);
					}
					return answer;
			}
			if (clock.monotonicMs() >= deadline) {
				return unavailable(k, why, info.descriptor);
			}
			if (attempt > 0) {
				await this.#pause(attempt);
			}
		}
	}

	/** All replicas that were known have refused: as the directory has it now, if it answers. */
	async #reload(k: Key, info: RangeInfo): Promise<RangeInfo> {
		try {
			return await this.#load(k);
		} catch (error) {
			if (!(error instanceof DatabaseError)) {
				throw error;
			}
			return info;
		}
	}

	#attempt(
		target: NodeId,
		info: RangeInfo,
		body: RangeRequestBody,
		options: RequestOptions,
	): RangeAnswer | Promise<RangeAnswer | Unreachable> {
		const q: RangeRequest = {
			rangeId: info.descriptor.rangeId,
			version: info.descriptor.epoch.version,
			seen: this.#options.placement.seen(),
			body,
		};
		if (target === this.#options.nodeId) {
			return this.#options.local(q);
		}
		const timeoutMs = options.attemptMs ?? attemptMs;
		return this.#options.rpc
			.call(target, "range", requestToWire(q), { timeoutMs })
			.then(answerFromWire, (error: unknown) => notAnswered(error, options));
	}

	async #afterRefusal(
		k: Key,
		info: RangeInfo,
		answer: Extract<RangeAnswer, { kind: "not-leaseholder" }>,
	): Promise<RangeInfo> {
		if (answer.descriptor === null) {
			// That node has no replica of it (any more).
			this.#cache.forget(info.descriptor.rangeId);
			return this.#load(k);
		}
		this.#learn([answer.descriptor], info);
		const hint = answer.leaseholder === 0 ? undefined : answer.leaseholder;
		const current = await this.rangeOf(k);
		const next = { descriptor: current.descriptor, leaseholder: hint };
		if (next.descriptor.rangeId === answer.descriptor.rangeId) {
			this.#cache.put(next);
		}
		return next;
	}

	/** Found by trying: without it, every request would first wait again for a node that does not answer. */
	#learnLeaseholder(k: Key, { descriptor }: RangeInfo, leaseholder: NodeId): void {
		const cached = this.#cache.find(k);
		if (cached !== undefined && cached.descriptor.rangeId === descriptor.rangeId) {
			this.#cache.put({ descriptor: cached.descriptor, leaseholder });
		}
	}

	/**
	 * Newer descriptors replace what they overlap; if nothing newer came, the cached one is dropped and looked up again. So it is if it is
	 * not among them: its range is part of another one, which may have been split since, and not hold the key any more.
	 */
	#learn(ranges: readonly RangeDescriptor[], believed: RangeInfo): void {
		const { rangeId, epoch } = believed.descriptor;
		let newer = false;
		if (ranges.every((d) => d.rangeId !== rangeId)) {
			this.#cache.forget(rangeId);
		}
		for (const descriptor of ranges) {
			if (descriptor.rangeId !== rangeId || isNewerEpoch(descriptor.epoch, epoch)) {
				this.#cache.put({ descriptor, leaseholder: believed.leaseholder });
				newer = true;
			}
		}
		if (!newer && ranges.some((d) => d.epoch.version !== epoch.version)) {
			this.#cache.forget(rangeId);
		}
	}

	#pause(attempt: number): Promise<void> {
		const { scheduler, random } = this.#options.runtime;
		const ms = Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(attempt, 10));
		return new Promise((resolve) => scheduler.setTimer(ms * (0.5 + random.float()), resolve));
	}
}

/** Throws what is no failure of the network. */
function notAnswered(error: unknown, { idempotent }: RequestOptions): RangeAnswer | Unreachable {
	if (!(error instanceof RpcError)) {
		throw error;
	}
	const sent = error.failure === "lost" || error.failure === "timeout";
	return sent && !idempotent
		? { kind: "lost" }
		: { kind: "unreachable", why: error.message, isLost: error.failure === "lost" };
}

/** The leaseholder if known, else the replicas in turn. */
function untried(
	{ leaseholder, descriptor }: RangeInfo,
	tried: readonly NodeId[],
): NodeId | undefined {
	if (leaseholder !== undefined && leaseholder !== 0 && !tried.includes(leaseholder)) {
		return leaseholder;
	}
	assert(descriptor.replicas.length > 0, "a range without replicas");
	return descriptor.replicas.find((r) => !tried.includes(r.nodeId))?.nodeId;
}

function unavailable(k: Key, why: string, descriptor?: RangeDescriptor): never {
	const name = descriptor === undefined ? "a range" : `range ${descriptor.rangeId}`;
	throw new DatabaseError("57P03", `${name} is unavailable`, {
		detail: `No leaseholder answered for key ${formatKey(k)}: ${why || "no answer"}.`,
		hint: "A majority of the range's nodes must be running. Try again later.",
	});
}

/** Turns the answers that are errors for every request into exceptions. */
export function throwErrors(answer: RangeAnswer): void {
	if (answer.kind === "error") {
		throw errorFromData(answer.error);
	}
	if (answer.kind === "conflict") {
		throw conflictError(answer.reason, answer.key, answer.other);
	}
}
