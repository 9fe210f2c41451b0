/**
 * One advisory lock as a replicated row: who holds it, and who waits for it in which order. Pure: what a row becomes by a request, a
 * release, somebody's death. As PostgreSQL's lock manager has it (src/backend/storage/lmgr: LockAcquireExtended, ProcSleep,
 * ProcLockWakeup).
 *
 * R1. Holders bear each other: an exclusive one is alone, but for what the same session holds beside it.
 * R2. First come, first served: nobody is granted what conflicts with somebody who waits before him. Only a session that holds the lock
 *     in another mode goes before those who wait for it.
 * R3. Whoever could be granted does not wait: every change ends with granting.
 */
import { assert } from "@quorate/keys/assert";
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";
import { decodeBody, encodeBody } from "@quorate/rpc/body";

export type AdvisoryMode = "exclusive" | "shared";

/** As in pg_locks: one bigint is its upper and lower half with objsubid 1, two ints are themselves with objsubid 2. */
export interface AdvisoryId {
	readonly classid: number;
	readonly objid: number;
	readonly objsubid: 1 | 2;
	/** Object id of the database that it is of; absent: the first one. */
	readonly database?: number;
}

/** A session, as others see it. */
export interface AdvisoryOwner {
	/** The tenure under which it holds or waits (`tenures.ts`). */
	readonly tenure: string;
	/** Unique within the tenure. */
	readonly session: number;
	/** Its backend process id, for people. */
	readonly pid: number;
	/** Where it is: whom to tell of a grant. */
	readonly node: number;
}

export interface Holder extends AdvisoryOwner {
	readonly exclusive: boolean;
	readonly shared: boolean;
}

export interface Waiter extends AdvisoryOwner {
	readonly mode: AdvisoryMode;
	/** Of the one wait: unique within the tenure. */
	readonly ticket: number;
}

export interface AdvisoryRow {
	readonly holders: readonly Holder[];
	/** In the order in which they are served. */
	readonly queue: readonly Waiter[];
}

export const freeRow: AdvisoryRow = { holders: [], queue: [] };

const prefix = "\x01a";
export const advisorySpan: Span = { start: key(prefix), end: prefixEnd(key(prefix)) };

const uint32 = (value: number): string =>
	String.fromCharCode(
		(value >>> 24) & 0xff,
		(value >>> 16) & 0xff,
		(value >>> 8) & 0xff,
		value & 0xff,
	);

export const advisoryKey = ({ classid, objid, objsubid, database }: AdvisoryId): Key =>
	key(
		prefix +
			String.fromCharCode(objsubid) +
			uint32(classid) +
			uint32(objid) +
			(database === undefined ? "" : uint32(database)),
	);

export function advisoryId(k: Key): AdvisoryId {
	const at = prefix.length;
	const isOfFirst = k.length === at + 9;
	assert(k.startsWith(prefix) && (isOfFirst || k.length === at + 13), "a key of an advisory lock");
	const number = (from: number): number => {
		let value = 0;
		for (let i = from; i < from + 4; i++) {
			value = value * 256 + k.charCodeAt(i);
		}
		return value;
	};
	return {
		objsubid: k.charCodeAt(at) === 1 ? 1 : 2,
		classid: number(at + 1),
		objid: number(at + 5),
		...(isOfFirst ? {} : { database: number(at + 9) }),
	};
}

const rowFormat = 1;

/** Undefined: nothing needs to be stored. */
export function encodeRow(row: AdvisoryRow): Uint8Array | undefined {
	if (row.holders.length === 0) {
		assert(row.queue.length === 0, "R3: somebody waits for a lock that nobody holds");
		return undefined;
	}
	return encodeBody([
		rowFormat,
		row.holders.map((h) => [h.tenure, h.session, h.pid, h.node, h.exclusive, h.shared]),
		row.queue.map((w) => [w.tenure, w.session, w.pid, w.node, w.mode, w.ticket]),
	]);
}

type Stored = [string, number, number, number, unknown, unknown];

export function decodeRow(bytes: Uint8Array | undefined): AdvisoryRow {
	if (bytes === undefined) {
		return freeRow;
	}
	const [format, holders, queue] = decodeBody(bytes) as [number, Stored[], Stored[]];
	assert(
		format === rowFormat,
		() =>
			`an advisory lock has format ${format}: this version knows ${rowFormat}; upgrade this node`,
	);
	return {
		holders: holders.map(([tenure, session, pid, node, exclusive, shared]) => ({
			...{ tenure, session, pid, node },
			...{ exclusive: exclusive as boolean, shared: shared as boolean },
		})),
		queue: queue.map(([tenure, session, pid, node, mode, ticket]) => ({
			...{ tenure, session, pid, node },
			...{ mode: mode as AdvisoryMode, ticket: ticket as number },
		})),
	};
}

export const isSame = (a: AdvisoryOwner, b: AdvisoryOwner): boolean =>
	a.tenure === b.tenure && a.session === b.session;

export const modesConflict = (a: AdvisoryMode, b: AdvisoryMode): boolean =>
	a === "exclusive" || b === "exclusive";

const holds = (h: Holder, mode: AdvisoryMode): boolean =>
	mode === "exclusive" ? h.exclusive : h.shared;

/** Whether what somebody holds conflicts with a mode. */
const bars = (h: Holder, mode: AdvisoryMode): boolean => h.exclusive || mode === "exclusive";

export const holderOf = (row: AdvisoryRow, who: AdvisoryOwner): Holder | undefined =>
	row.holders.find((h) => isSame(h, who));

export const holdsMode = (row: AdvisoryRow, who: AdvisoryOwner, mode: AdvisoryMode): boolean => {
	const held = holderOf(row, who);
	return held !== undefined && holds(held, mode);
};

const waitsWith = (row: AdvisoryRow, who: AdvisoryOwner, ticket: number): number =>
	row.queue.findIndex((w) => isSame(w, who) && w.ticket === ticket);

/** Whom a session that asks for `mode` at a place of the queue has to wait for. */
function inTheWay(
	row: AdvisoryRow,
	who: AdvisoryOwner,
	mode: AdvisoryMode,
	place: number,
): AdvisoryOwner[] {
	const holders = row.holders.filter((h) => !isSame(h, who) && bars(h, mode));
	const ahead = row.queue.slice(0, place).filter((w) => modesConflict(w.mode, mode));
	return [...holders, ...ahead.filter((w) => !isSame(w, who))];
}

/** Whom the wait with the ticket is for; empty if there is no such wait. */
export function blockersOf(
	row: AdvisoryRow,
	who: AdvisoryOwner,
	ticket: number,
): readonly AdvisoryOwner[] {
	const place = waitsWith(row, who, ticket);
	return place < 0 ? [] : inTheWay(row, who, row.queue[place]!.mode, place);
}

/** Before the first that would have to wait for what it holds; else behind everybody. */
function placeOf(row: AdvisoryRow, who: AdvisoryOwner): number {
	const held = holderOf(row, who);
	const barred = held === undefined ? -1 : row.queue.findIndex((w) => bars(held, w.mode));
	return barred < 0 ? row.queue.length : barred;
}

export interface Requested {
	readonly row: AdvisoryRow;
	readonly outcome: "granted" | "queued" | "refused";
	/** Whom it would wait for, or waits for. */
	readonly blockers: readonly AdvisoryOwner[];
}

/**
 * `ticket` undefined: without waiting, and then it does not go before anybody who waits. Asking again for what was granted or queued
 * changes nothing.
 */
export function request(
	row: AdvisoryRow,
	who: AdvisoryOwner,
	mode: AdvisoryMode,
	ticket: number | undefined,
): Requested {
	if (holdsMode(row, who, mode)) {
		return { row, outcome: "granted", blockers: [] };
	}
	if (ticket !== undefined && waitsWith(row, who, ticket) >= 0) {
		return { row, outcome: "queued", blockers: blockersOf(row, who, ticket) };
	}
	const place = ticket === undefined ? row.queue.length : placeOf(row, who);
	const blockers = inTheWay(row, who, mode, place);
	if (blockers.length === 0) {
		return { row: grant(row, who, mode), outcome: "granted", blockers };
	}
	if (ticket === undefined) {
		return { row, outcome: "refused", blockers };
	}
	const { tenure, session, pid, node } = who;
	const waiter: Waiter = { tenure, session, pid, node, mode, ticket };
	const queue = [...row.queue.slice(0, place), waiter, ...row.queue.slice(place)];
	return { row: { ...row, queue }, outcome: "queued", blockers };
}

function grant(row: AdvisoryRow, who: AdvisoryOwner, mode: AdvisoryMode): AdvisoryRow {
	const { tenure, session, pid, node } = who;
	const before = holderOf(row, who);
	const holder: Holder = {
		...{ tenure, session, pid, node },
		exclusive: mode === "exclusive" || before?.exclusive === true,
		shared: mode === "shared" || before?.shared === true,
	};
	const holders = [...row.holders.filter((h) => !isSame(h, who)), holder];
	assert(
		mode === "shared" ? holders.every((h) => h === holder || !h.exclusive) : holders.length === 1,
		() => `R1: ${mode} was granted beside ${JSON.stringify(row.holders)}`,
	);
	return { ...row, holders };
}

/** Grants what can be granted, in the order of the queue (R3). */
function serve(row: AdvisoryRow): AdvisoryRow {
	let now = row;
	for (let place = 0; place < now.queue.length; ) {
		const waiter = now.queue[place]!;
		if (inTheWay(now, waiter, waiter.mode, place).length > 0) {
			place++;
			continue;
		}
		now = grant({ ...now, queue: now.queue.filter((w) => w !== waiter) }, waiter, waiter.mode);
	}
	return now;
}

/** What a session wants to have of a lock and nothing else: whatever more the row has of it goes. */
export interface Claim {
	readonly exclusive: boolean;
	readonly shared: boolean;
	/** Of the wait that goes on, if one does. */
	readonly ticket: number | undefined;
}

export function reduceTo(row: AdvisoryRow, who: AdvisoryOwner, claim: Claim): AdvisoryRow {
	const holders = row.holders
		.map((h) =>
			isSame(h, who)
				? {
						...h,
						exclusive: h.exclusive && claim.exclusive,
						shared: h.shared && claim.shared,
					}
				: h,
		)
		.filter((h) => h.exclusive || h.shared);
	const queue = row.queue.filter((w) => !isSame(w, who) || w.ticket === claim.ticket);
	return serve({ holders, queue });
}

/** Without those whose tenure has ended. */
export function withoutTenures(row: AdvisoryRow, ended: ReadonlySet<string>): AdvisoryRow {
	const stays = (o: AdvisoryOwner): boolean => !ended.has(o.tenure);
	if (row.holders.every(stays) && row.queue.every(stays)) {
		return row;
	}
	return serve({ holders: row.holders.filter(stays), queue: row.queue.filter(stays) });
}

/** Who holds in `after` what he waited for in `before`. */
export function grantedBetween(before: AdvisoryRow, after: AdvisoryRow): readonly Waiter[] {
	return before.queue.filter(
		(w) => waitsWith(after, w, w.ticket) < 0 && holdsMode(after, w, w.mode),
	);
}
