/** All that exists in a walk: the oracle, the ranges with their replicas, the gateways, the transactions, what is under way. */
import type { Message, Proposal } from "./messages.ts";
import { type MutationName, mutations } from "./mutations.ts";
import { Random } from "./random.ts";
import type { Transaction } from "./transaction.ts";
import { drawWeather, type Weather } from "./weather.ts";

export const ticksPerMs = 4_096;
export const rangeCount = 2;
export const keysPerRange = 2;
export const keyCount = rangeCount * keysPerRange;
export const transactionCount = 5;

export const rangeOf = (key: number): number => (key / keysPerRange) | 0;

/** Value 0: the key is absent. */
export interface Version {
	readonly ts: number;
	readonly value: number;
	readonly writer: number;
}

/** A write that is not decided yet: an intent, or pending at a leaseholder. */
export interface Claim {
	readonly transaction: number;
	readonly key: number;
	readonly p: number;
	readonly value: number;
	/** It resolves to nothing: the key was taken back after a chunk had been prepared. */
	readonly mark: boolean;
	readonly chunk: number;
	readonly anchor: number;
	/** When the commit began (T4); who began first is the older (T6). */
	readonly begin: number;
}

export interface Pending extends Claim {
	readonly sequence: number;
	/** 0 until it is proposed. */
	number: number;
	readonly onePhase: boolean;
	/** Of a one-phase commit that is proposed; else 0. */
	c: number;
}

export interface Lease {
	readonly sequence: number;
	readonly node: number;
	readonly boot: number;
	readonly expiry: number;
}

export interface TransactionRecord {
	readonly transaction: number;
	readonly begin: number;
	readonly c: number;
	readonly keys: readonly number[];
	/** No intents were left anywhere. */
	readonly onePhase: boolean;
	/** What the client of a hot row is told. */
	readonly values: readonly number[];
}

/** Where timestamps are waited for: a gateway or a replica. */
export interface Site {
	waits: Wait[];
	/** The highest issued timestamp known here. */
	seen: number;
}

export interface Wait {
	done: boolean;
	readonly issued: (timestamp: number) => void;
}

export interface Replica extends Site {
	readonly range: number;
	readonly node: number;

	// Replicated: the same on each replica that has applied as many entries.
	applied: number;
	lease: Lease;
	lastNumber: number;
	/** The highest c applied. */
	lastCommit: number;
	/** X: the highest begin of the records and tombstones removed. */
	horizon: number;
	/** By key within the range. */
	readonly versions: Version[][];
	readonly intents: (Claim | undefined)[];
	/** By transaction. */
	readonly records: (TransactionRecord | undefined)[];
	/** Begin of the aborted transaction; 0: none. */
	readonly tombstones: number[];

	// Memory: lost in a crash.
	boot: number;
	number: number;
	/** The lease sequence that it has given away. */
	stopped: number;
	pending: Pending[];
	/** What is known of each transaction: its c, or one of the following. */
	decisions: number[];
	/** What the anchor has said of an open transaction: its c will be above this. */
	above: number[];
	/** Under which sequence a transaction was opened here; `closed` after its word. */
	opened: number[];
	/** Keys, as bits, whose resolve has applied: for the removal of records. */
	resolved: number[];
	isAcquiring: boolean;
	isExtending: boolean;

	/** It applies nothing before this step. */
	lagsUntil: number;
}

export const undecided = -1;
export const aborted = 0;
export const unknown = -2;
export const closed = -1;

export interface Range {
	readonly log: Proposal[];
	readonly replicas: readonly [Replica, Replica];
}

export interface Gateway extends Site {
	/** The node believed to hold each range's lease. */
	readonly leaseholders: number[];
}

export interface OracleMember {
	/** The term in which it believes that it leads; 0: it does not. */
	term: number;
	isReady: boolean;
	clock: number;
	next: number;
	/** As far as it may hand out. */
	ceiling: number;
	isRaising: boolean;
	/** The step in which a quorum last said that it leads. */
	confirmedAt: number;
}

export interface Oracle {
	readonly members: readonly [OracleMember, OracleMember];
	term: number;
	/** Index of the member that leads. */
	leader: number;
	/** Of the last committed entry. */
	ceiling: number;
	/** The leader has applied an entry of its own term. */
	isSettled: boolean;
}

/** A read that was served: key, timestamp, value, reader, four numbers each. */
export type Served = number[];

export interface World {
	readonly random: Random;
	readonly weather: Weather;
	readonly without: MutationName | undefined;
	/** Undefined: nobody listens. */
	readonly trace: string[] | undefined;
	readonly counts: Counts;
	step: number;
	/** Messages get lost, doubled and late; machines crash. */
	isStormy: boolean;
	/** What is under way, in no order. */
	bag: Message[];
	/** Under way for much longer. */
	late: Message[];
	readonly oracle: Oracle;
	readonly ranges: readonly [Range, Range];
	readonly gateways: readonly [Gateway, Gateway];
	/** In order of their ids, which begin with 1. */
	readonly transactions: Transaction[];
	active: Transaction[];
	/** Transactions that have not begun. */
	toStart: number;
	/** When the next of them is due. */
	nextStart: number;
	readonly served: Served;
	lastValue: number;
	/** Something that must not happen was seen on the way. */
	problem: string | undefined;
}

/** What was exercised, over all walks: a rule whose event was never counted was not tested. */
export interface Counts {
	committed: number;
	aborted: number;
	unknown: number;
	twoPhase: number;
	onePhase: number;
	lastAgent: number;
	/** Of those, what had read in the other range. */
	readElsewhere: number;
	large: number;
	hot: number;
	hotJoined: number;
	waited: number;
	passedOpen: number;
	leases: number;
	transfers: number;
	crashes: number;
	elections: number;
	tombstones: number;
	removals: number;
	copies: number;
	lost: number;
}

export function newCounts(): Counts {
	return {
		committed: 0,
		aborted: 0,
		unknown: 0,
		twoPhase: 0,
		onePhase: 0,
		lastAgent: 0,
		readElsewhere: 0,
		large: 0,
		hot: 0,
		hotJoined: 0,
		waited: 0,
		passedOpen: 0,
		leases: 0,
		transfers: 0,
		crashes: 0,
		elections: 0,
		tombstones: 0,
		removals: 0,
		copies: 0,
		lost: 0,
	};
}

export interface WorldOptions {
	readonly seed: number;
	readonly walk: number;
	readonly without: MutationName | undefined;
	readonly trace: string[] | undefined;
	readonly counts: Counts;
}

export function newWorld({ seed, walk, without, trace, counts }: WorldOptions): World {
	const random = new Random(seed, walk);
	const drawn = drawWeather(random);
	const weather = without === undefined ? drawn : { ...drawn, ...mutations[without].weather };
	return {
		random,
		weather,
		without,
		trace,
		counts,
		step: 0,
		isStormy: true,
		bag: [],
		late: [],
		oracle: newOracle(),
		ranges: [newRange(0, random, weather), newRange(1, random, weather)],
		gateways: [newGateway(), newGateway()],
		transactions: [],
		active: [],
		toStart: 0,
		nextStart: 0,
		served: [],
		lastValue: 0,
		problem: undefined,
	};
}

function newOracle(): Oracle {
	const ceiling = 30 * ticksPerMs;
	return {
		members: [newMember(1, ceiling), newMember(0, ceiling)],
		term: 1,
		leader: 0,
		ceiling,
		isSettled: true,
	};
}

function newMember(term: number, ceiling: number): OracleMember {
	return {
		term,
		isReady: term > 0,
		clock: ticksPerMs,
		next: ticksPerMs,
		ceiling,
		isRaising: false,
		confirmedAt: 0,
	};
}

function newRange(range: number, random: Random, weather: Weather): Range {
	const lease: Lease = {
		sequence: 1,
		node: random.below(2),
		boot: 1,
		expiry: (2 + random.below(weather.leaseMs)) * ticksPerMs,
	};
	return { log: [], replicas: [newReplica(range, 0, lease), newReplica(range, 1, lease)] };
}

function newReplica(range: number, node: number, lease: Lease): Replica {
	return {
		range,
		node,
		waits: [],
		seen: 0,
		applied: 0,
		lease,
		lastNumber: 0,
		lastCommit: 0,
		horizon: 0,
		versions: [[], []],
		intents: [undefined, undefined],
		records: byTransaction<TransactionRecord | undefined>(undefined),
		tombstones: byTransaction(0),
		boot: 1,
		number: 0,
		stopped: 0,
		pending: [],
		decisions: byTransaction(undecided),
		above: byTransaction(0),
		opened: byTransaction(0),
		resolved: byTransaction(0),
		isAcquiring: false,
		isExtending: false,
		lagsUntil: 0,
	};
}

/** The highest issued timestamp that was seen. */
export function observe(site: Site, timestamp: number): void {
	if (timestamp > site.seen) site.seen = timestamp;
}

/** Everything that it only remembered is gone; what it has applied is not. */
export function crash(w: World, r: Replica): void {
	w.counts.crashes++;
	r.boot++;
	r.waits = [];
	r.seen = 0;
	r.number = 0;
	r.stopped = 0;
	r.pending = [];
	r.decisions.fill(undecided);
	r.above.fill(0);
	r.opened.fill(0);
	r.resolved.fill(0);
	r.isAcquiring = false;
	r.isExtending = false;
	if (w.without === "L2.boot") r.number = r.lastNumber;
}

function byTransaction<T>(value: T): T[] {
	return new Array<T>(transactionCount + 1).fill(value);
}

const newGateway = (): Gateway => ({ waits: [], seen: 0, leaseholders: [0, 0] });
