/**
 * Linearizability of single registers with read, write and compare-and-set, each key by itself (linearizability is local: Herlihy and
 * Wing 1990): the search of Wing and Gong with Lowe's memory ("Testing for linearizability", 2017) and his just-in-time rule.
 *
 *  1 The search keeps all configurations that are possible: what the register holds, and which open operations have taken effect.
 *    Equal ones are kept once.
 *  2 Operations take effect only when one must: when an answer arrives, each configuration is led on by open operations until the
 *    answered one has taken effect. Where none is left, the history is not linearizable, and that answer is the proof.
 *  3 An operation whose answer was lost stays open for ever. Of two configurations that differ only in such operations, the one
 *    that used fewer can do all that the other can: only that one is kept.
 *  4 An open read of what the register holds takes effect at once: it changes nothing.
 *  5 One whose answer was lost takes effect only where an open operation sees what it leaves: unseen, it may as well never happen. Of
 *    those that do the same, the one that began first goes first: so lost answers do not pile up.
 *
 * The problem is hard (NP-complete) all the same: many lost compare-and-sets on one key with few values can exceed what is kept at
 * once. The key is then unknown, which is not valid: such a workload takes a new key every few hundred operations.
 */
import type { Key } from "./history.ts";

export type RegisterCall =
	/** What was read; null: nothing was there. */
	| { readonly f: "read"; readonly value: number | null }
	| { readonly f: "write"; readonly value: number | null }
	/** From the first to the second. One that was refused since something else was there has failed. */
	| { readonly f: "cas"; readonly value: readonly [number | null, number | null] };

export type RegisterOperation = RegisterCall & {
	readonly id: number;
	readonly process: number;
	readonly key: Key;
	/** ok: it happened. fail: certainly not. info: not known; what such a read read does not count. */
	readonly status: "ok" | "fail" | "info";
	readonly invoked: number;
	/** Infinite for info. */
	readonly completed: number;
};

export interface Counterexample {
	readonly key: Key;
	/** Whose answer nothing explains. */
	readonly operation: RegisterOperation;
	/** A line a step, for a person. */
	readonly explanation: readonly string[];
}

export interface LinearizabilityResult {
	/** Something was answered, and every key is linearizable. */
	readonly valid: boolean;
	readonly ok: number;
	/** One for each key that is not. */
	readonly counterexamples: readonly Counterexample[];
	/** Keys for which the search was given up, since too much was possible: nothing is known of them, and nothing is valid. */
	readonly unknown: readonly Key[];
}

export interface LinearizabilityOptions {
	/** What every key holds at first. */
	readonly initial?: number | null;
	/** Configurations that are kept at once. */
	readonly configurationsMax?: number;
}

interface Linked {
	readonly operation: RegisterOperation;
	readonly before: Linked | undefined;
}

interface Configuration {
	readonly value: number | null;
	/** Answered later, in rising order of their ids. */
	readonly done: readonly number[];
	/** Never answered. */
	readonly used: readonly number[];
	/** One order that leads here. */
	readonly path: Linked | undefined;
}

export function checkLinearizability(
	history: readonly RegisterOperation[],
	{ initial = null, configurationsMax = 20_000 }: LinearizabilityOptions = {},
): LinearizabilityResult {
	const byKey = new Map<Key, RegisterOperation[]>();
	for (const operation of history) {
		const ofKey = byKey.get(operation.key);
		if (ofKey === undefined) byKey.set(operation.key, [operation]);
		else ofKey.push(operation);
	}
	const counterexamples: Counterexample[] = [];
	const unknown: Key[] = [];
	for (const [key, operations] of byKey) {
		const outcome = checkKey(key, operations, initial, configurationsMax);
		if (outcome === "unknown") unknown.push(key);
		else if (outcome !== undefined) counterexamples.push(outcome);
	}
	const ok = history.filter((o) => o.status === "ok").length;
	const valid = counterexamples.length === 0 && unknown.length === 0 && ok > 0;
	return { valid, ok, counterexamples, unknown };
}

function checkKey(
	key: Key,
	operations: readonly RegisterOperation[],
	initial: number | null,
	configurationsMax: number,
): Counterexample | "unknown" | undefined {
	const open = new Map<number, RegisterOperation>();
	let possible: readonly Configuration[] = [
		{ value: initial, done: [], used: [], path: undefined },
	];
	for (const { isEnd, operation } of eventsOf(operations)) {
		if (!isEnd) {
			open.set(operation.id, operation);
			continue;
		}
		const next = answer(possible, open, operation, configurationsMax);
		if (next === undefined) return "unknown";
		if (next.length === 0) return explain(key, operation, possible, open);
		open.delete(operation.id);
		possible = next;
	}
	return undefined;
}

interface Event {
	readonly isEnd: boolean;
	readonly operation: RegisterOperation;
}

function eventsOf(operations: readonly RegisterOperation[]): readonly Event[] {
	const events: (Event & { readonly at: number })[] = [];
	for (const operation of operations) {
		// What certainly did not happen, and a read whose answer was lost, say nothing.
		if (operation.status === "fail" || (operation.status === "info" && operation.f === "read"))
			continue;
		events.push({ at: operation.invoked, isEnd: false, operation });
		if (operation.status === "ok") events.push({ at: operation.completed, isEnd: true, operation });
	}
	return events.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
}

/** All configurations after the answer; undefined: there are too many. */
function answer(
	possible: readonly Configuration[],
	open: ReadonlyMap<number, RegisterOperation>,
	answered: RegisterOperation,
	configurationsMax: number,
): readonly Configuration[] | undefined {
	const met = new Kept();
	const reached = new Kept();
	const reads: RegisterOperation[] = [];
	const others: RegisterOperation[] = [];
	for (const o of open.values()) (o.f === "read" ? reads : others).push(o);
	const answeredLater = others.filter((o) => o.status === "ok");
	const lost = usefulLost(reads, others);
	const queue: Configuration[] = [];
	const add = (configuration: Configuration) => {
		const c = withReads(configuration, reads);
		if (c.done.includes(answered.id)) {
			reached.add({ ...c, done: c.done.filter((id) => id !== answered.id) });
		} else if (met.add(c)) queue.push(c);
	};
	for (const c of possible) add(c);
	// In breadth: what uses fewer is met first.
	for (const c of queue) {
		if (queue.length > configurationsMax) return undefined;
		for (const operation of answeredLater) {
			const after = take(c, operation);
			if (after !== undefined) add(after);
		}
		for (const alike of lost) {
			const operation = alike.find((o) => !c.used.includes(o.id));
			const after = operation === undefined ? undefined : take(c, operation);
			if (after !== undefined) add(after);
		}
	}
	return reached.all();
}

/**
 * Rule 5: those that leave what an open read read or an open compare-and-set expects, alike ones together, the earliest first.
 */
function usefulLost(
	reads: readonly RegisterOperation[],
	others: readonly RegisterOperation[],
): readonly (readonly RegisterOperation[])[] {
	const wanted = new Set<unknown>(reads.map((o) => o.value));
	for (const o of others) if (o.f === "cas") wanted.add(o.value[0]);
	const groups = new Map<string, RegisterOperation[]>();
	for (const o of others) {
		if (o.status === "ok" || !wanted.has(o.f === "cas" ? o.value[1] : o.value)) continue;
		const call = `${o.f} ${o.value}`;
		const alike = groups.get(call);
		if (alike === undefined) groups.set(call, [o]);
		else alike.push(o);
	}
	return [...groups.values()];
}

/** Rule 4. */
function withReads(c: Configuration, reads: readonly RegisterOperation[]): Configuration {
	let after = c;
	for (const read of reads) {
		if (read.value !== c.value || after.done.includes(read.id)) continue;
		after = {
			...after,
			done: insert(after.done, read.id),
			path: { operation: read, before: after.path },
		};
	}
	return after;
}

function take(c: Configuration, operation: RegisterOperation): Configuration | undefined {
	const { id, status } = operation;
	const isOpen = status === "info";
	if ((isOpen ? c.used : c.done).includes(id)) return undefined;
	let value: number | null;
	if (operation.f === "cas") {
		if (operation.value[0] !== c.value) return undefined;
		value = operation.value[1];
	} else value = operation.value;
	const path = { operation, before: c.path };
	if (isOpen) return { value, done: c.done, used: insert(c.used, id), path };
	return { value, done: insert(c.done, id), used: c.used, path };
}

function insert(ids: readonly number[], id: number): readonly number[] {
	const at = ids.findIndex((other) => other > id);
	return at < 0 ? [...ids, id] : [...ids.slice(0, at), id, ...ids.slice(at)];
}

/** Rules 1 and 3. */
class Kept {
	readonly #byState = new Map<string, Configuration[]>();

	/** Whether it is new, and none that is kept can do as much. */
	add(c: Configuration): boolean {
		const state = `${c.value}|${c.done.join()}`;
		const alike = this.#byState.get(state);
		if (alike === undefined) {
			this.#byState.set(state, [c]);
			return true;
		}
		if (alike.some((o) => o.used.every((id) => c.used.includes(id)))) return false;
		this.#byState.set(state, [
			...alike.filter((o) => !c.used.every((id) => o.used.includes(id))),
			c,
		]);
		return true;
	}

	all(): readonly Configuration[] {
		return [...this.#byState.values()].flat();
	}
}

const shownMax = 8;

function explain(
	key: Key,
	operation: RegisterOperation,
	possible: readonly Configuration[],
	open: ReadonlyMap<number, RegisterOperation>,
): Counterexample {
	const steps: string[] = [];
	let at = possible[0]?.path;
	for (; at !== undefined && steps.length < shownMax; at = at.before)
		steps.push(describe(at.operation));
	const order = [...(at === undefined ? [] : ["..."]), ...steps.reverse()];
	const values = [...new Set(possible.map((c) => c.value ?? "nothing"))];
	const others = [...open.values()].filter((o) => o !== operation).map(describe);
	return {
		key,
		operation,
		explanation: [
			`${describe(operation)} was answered, and nothing explains that`,
			`until then, in one possible order: ${order.length === 0 ? "nothing" : order.join(", ")}`,
			`so ${key} held ${values.join(" or ")}`,
			`open besides: ${others.length === 0 ? "nothing" : others.join(", ")}`,
		],
	};
}

function describe(o: RegisterOperation): string {
	const show = (value: number | null) => value ?? "nothing";
	const what =
		o.f === "cas" ? `cas ${show(o.value[0])} to ${show(o.value[1])}` : `${o.f} ${show(o.value)}`;
	return `#${o.id} ${what} (process ${o.process}${o.status === "info" ? ", answer lost" : ""})`;
}
