/**
 * One-phase commits: the leaseholder makes the writes pending, draws c itself, validates, and proposes one entry. A hot row is
 * one that the leaseholder has evaluated, in the tick in which its writes become pending: it may take the value of
 * another one-phase commit that is proposed already.
 */
import { newestChange, readAt } from "./apply.ts";
import { errand, urge } from "./calls.ts";
import { foreignClaim, inquire } from "./claims.ts";
import { holds, propose } from "./lease.ts";
import {
	type Answer,
	answer,
	type Body,
	type HotRow,
	type Item,
	type Named,
	notLeaseholder,
	noValues,
	refused,
	reply,
	type Write,
	wait,
} from "./messages.ts";
import { issue } from "./oracle.ts";
import { mayAccept, preparePoint } from "./prepare.ts";
import { observe, type Pending, type Replica, type World } from "./state.ts";
import type { Call } from "./transaction.ts";
import { validate } from "./validation.ts";

type Of<K extends Body["kind"]> = Extract<Body, { kind: K }>;

interface Evaluated {
	readonly writes: readonly Write[];
	readonly items: readonly Item[];
	readonly elsewhere: readonly Item[];
	readonly names: readonly Named[];
	readonly values: readonly number[];
	/** Prepared in the other range. */
	readonly keys: readonly number[];
}

export function onePhase(w: World, r: Replica, call: Call, body: Of<"one-phase">): void {
	const { id } = call.transaction;
	if (r.pending.some((p) => p.transaction === id)) return;
	const { writes, items, elsewhere, anchor, keys } = body;
	if (!mayAccept(w, r, id, writes)) {
		reply(w, call, refused);
		return;
	}
	accept(w, r, call, anchor, { writes, items, elsewhere, names: [], values: noValues, keys });
}

export function hot(w: World, r: Replica, call: Call, { rows, anchor }: Of<"hot">): void {
	const { id } = call.transaction;
	if (r.pending.some((p) => p.transaction === id)) return;
	const evaluated = evaluate(w, r, id, rows);
	if (evaluated === undefined) {
		reply(w, call, refused);
		return;
	}
	if (evaluated.names.length > 0) w.counts.hotJoined++;
	accept(w, r, call, anchor, evaluated);
}

/** Undefined: somebody is in the way whose value cannot be taken. */
function evaluate(
	w: World,
	r: Replica,
	own: number,
	rows: readonly HotRow[],
): Evaluated | undefined {
	const writes: Write[] = [];
	const items: Item[] = [];
	const names: Named[] = [];
	const values: number[] = [];
	for (const { key, reads, value } of rows) {
		const last = lastPending(r, key);
		const claim = foreignClaim(r, key, own);
		if (claim !== undefined && !mayTake(w, r, last)) {
			inquire(w, r, claim, 0);
			return undefined;
		}
		if (last !== undefined && reads) {
			names.push({ key, transaction: last.transaction, c: last.c });
		}
		if (reads) values.push(last?.value ?? readAt(r, key, Number.MAX_SAFE_INTEGER));
		if (value > 0) writes.push({ key, value, since: -1, mark: false });
		else items.push({ key, since: last?.c ?? newestChange(r, key) });
	}
	return { writes, items, elsewhere: [], names, values, keys: [] };
}

function lastPending(r: Replica, key: number): Pending | undefined {
	return r.pending.findLast((p) => p.key === key);
}

/** A one-phase that is proposed, of this lease: its c is known, and its number is lower than ours will be. */
function mayTake(w: World, r: Replica, last: Pending | undefined): boolean {
	if (last === undefined || last.sequence !== r.lease.sequence) return false;
	return (
		(last.onePhase || w.without === "hot.prepared") &&
		((last.number > 0 && last.c > 0) ||
			w.without === "hot.unproposed" ||
			w.without === "hot.prepared")
	);
}

function accept(w: World, r: Replica, call: Call, anchor: number, work: Evaluated): void {
	const { id: transaction, begin } = call.transaction;
	const { sequence } = r.lease;
	const { boot } = r;
	const p = preparePoint(w, r);
	const pending: Pending[] = work.writes.map(({ key, value }) => ({
		transaction,
		key,
		p,
		value,
		mark: false,
		chunk: 1,
		anchor,
		begin,
		sequence,
		number: 0,
		onePhase: true,
		c: 0,
	}));
	r.pending.push(...pending);
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: one-phase transaction ${transaction} is pending, p ${p}, ${JSON.stringify(work)}`,
	);
	const withdraw = (why: Answer): true => {
		r.pending = r.pending.filter((x) => !pending.includes(x));
		reply(w, call, why);
		return true;
	};
	issue(w, r, (c) => {
		if (r.boot !== boot) return;
		observe(r, c);
		const errands = askElsewhere(w, call, work.elsewhere, c);
		let isValidHere = false;
		wait(w, r, () => {
			if (!holds(w, r) || r.lease.sequence !== sequence) return withdraw(notLeaseholder);
			if (c <= p) {
				if (w.without === undefined) w.problem ??= `one-phase: c ${c} is not above p ${p}`;
				return withdraw(refused);
			}
			if (!isValidHere) {
				const verdict = validate(w, r, transaction, begin, work.items, c, work.names);
				if (verdict === undefined) return false;
				if (verdict.kind !== "done") return withdraw(verdict);
				isValidHere = true;
			}
			for (const one of errands) urge(w, one);
			if (errands.some((one) => one.answer !== undefined && one.answer.kind !== "done")) {
				return withdraw(refused);
			}
			if (errands.some((one) => one.answer === undefined)) return false;
			proposeAt(w, r, call, work, pending, c);
			return true;
		});
	});
}

/** Once c is drawn: what becomes pending there later commits above it. */
function askElsewhere(w: World, call: Call, items: readonly Item[], c: number): readonly Call[] {
	if (items.length === 0) return [];
	return [errand(w, call.transaction, items[0]!.key, { kind: "validate", items, c })];
}

function proposeAt(
	w: World,
	r: Replica,
	call: Call,
	{ writes, names, values, keys }: Evaluated,
	pending: readonly Pending[],
	c: number,
): void {
	const { id: transaction, begin } = call.transaction;
	const command = {
		kind: "one-phase",
		transaction,
		begin,
		c,
		writes,
		names,
		values,
		keys,
	} as const;
	const number = propose(w, r, command, (result) => reply(w, call, result));
	for (const x of pending) {
		x.number = number;
		x.c = c;
	}
	if (w.without === "hot.answer" && names.length > 0) {
		reply(w, call, answer("committed", c, values));
	}
}
