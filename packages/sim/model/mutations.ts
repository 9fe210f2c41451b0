/**
 * What a walk can be made to do without: each name drops one rule of the protocol, or one clause of it. The model is worth
 * something only as far as a walk without the rule goes wrong, so `mutations.test.ts` wants each of them found.
 */
import type { Weather } from "./weather.ts";

export interface Mutation {
	/** What the walk does instead. */
	readonly does: string;
	/** As a wrong history, as a run that stops making progress, or not at all: then the model is too weak, or another rule covers it. */
	readonly shows: "anomaly" | "standstill" | "nothing";
	/** Where it is looked for; else in any weather. */
	readonly weather: Partial<Weather>;
}

const anomaly = (does: string, weather: Partial<Weather> = {}): Mutation => {
	return { does, shows: "anomaly", weather };
};
const standstill = (does: string, weather: Partial<Weather> = {}): Mutation => {
	return { does, shows: "standstill", weather };
};

const nothing = (does: string, weather: Partial<Weather> = {}): Mutation => {
	return { does, shows: "nothing", weather };
};

/** Replicas fall behind, leases lapse: for what an outdated leaseholder can do. */
const lagging: Partial<Weather> = {
	faults: 250,
	lags: 20,
	elections: 1,
	crashes: 1,
	leaseMs: 4,
	acquisitions: 900,
	astray: 120,
	keys: 2,
};
const electing: Partial<Weather> = {
	faults: 80,
	lags: 1,
	elections: 20,
	crashes: 1,
	astray: 400,
	spread: 120,
	keys: 2,
};

export const mutations = {
	"O1.round": anomaly("the oracle answers without asking its group", electing),
	"O1.begun": anomaly(
		"a request is answered by a quorum round that had begun before it arrived",
		electing,
	),
	"O2.above": anomaly("a new leader of the oracle goes on where its own counter stood"),
	"O2.applied": anomaly("a ceiling is used as soon as it was proposed", {
		...electing,
		faults: 250,
		spread: 400,
		readOnly: 400,
	}),
	"O3.sent": anomaly("an answer serves whoever waits when it arrives"),
	"O4.clock": standstill("the oracle's clock follows a wall clock that stands still"),
	"L1.read": anomaly("a leaseholder serves reads above its lease's expiry", lagging),
	"L1.validate": anomaly("a leaseholder validates above its lease's expiry", lagging),
	"L1.newest": anomaly("a newest-read counts as one at a timestamp above its lease's expiry", {
		...lagging,
		newest: 600,
	}),
	"L2.start": anomaly("a lease may start before the one it replaces has expired", {
		...lagging,
		leaseMs: 40,
	}),
	"L2.names": nothing("a lease is applied whatever sequence it replaces", {
		...lagging,
		transfers: 250,
		doubled: 250,
		late: 120,
	}),
	"L2.boot": anomaly("a node that was started again goes on with the lease it had", {
		crashes: 10,
		faults: 250,
		keys: 2,
	}),
	"L2.stop": anomaly("a transfer goes on serving until it is applied", {
		...lagging,
		leaseMs: 40,
		transfers: 250,
	}),
	"L2.resume": anomaly("a transfer that nothing was heard of resumes serving", {
		...lagging,
		leaseMs: 40,
		transfers: 250,
	}),
	"L3.sequence": anomaly("commands of an older lease are applied"),
	"L3.number": anomaly("commands are applied twice and late"),
	"L4.pending": anomaly("readers do not see pending writes"),
	"L4.time": anomaly("a pending write is forgotten after a while"),
	"L4.extension": standstill("nothing is proposed to learn the fate of a lost proposal", {
		lost: 30,
		crashes: 1,
		elections: 1,
		hot: 0,
		onePhase: 200,
	}),
	"T3.tombstone": anomaly("an abort leaves no tombstone"),
	"T3.early": anomaly("an abort leaves no tombstone where the prepare has not come yet"),
	"T3.met": anomaly("a prepare or one-phase commit that meets its tombstone is applied"),
	"T3.decided": nothing("a late copy of a prepare that meets its record is applied", {
		doubled: 250,
		late: 120,
		onePhase: 200,
		hot: 0,
	}),
	"T3.record": anomaly("an abort is not judged when it is applied: it wins over a record"),
	"T3.anchor": anomaly("who waits long drops the intent without asking the anchor"),
	"T3.refusal": anomaly("a refused one-phase commit is final, also when it was sent twice"),
	"T4.horizon": anomaly("the removal of a record or tombstone leaves no horizon"),
	"T4.resolves": anomaly("a record is removed before its resolves have applied", {
		removals: 800,
		onePhase: 200,
		hot: 0,
	}),
	"T4.unknown": anomaly("a range that finds nothing of an old transaction says that it aborted"),
	"T5.lost": anomaly("a lost answer is reported as a failure"),
	"T5.unknown": anomaly("an outcome that cannot be learned is reported as a failure"),
	"T5.again": anomaly("after a lost answer the transaction is evaluated again under its id"),
	"T6.commit": standstill("who has something pending waits for an older one that is committing", {
		onePhase: 200,
		hot: 0,
		keys: 2,
	}),
	"T6.read": standstill("a large transaction that prepared a chunk waits when it reads", {
		large: 600,
		hot: 0,
		keys: 2,
	}),
	"step1.since": anomaly("a prepare does not look whether a key that was read has changed"),
	"step1.foreign": anomaly("a prepare does not look for others' pending writes and intents"),
	"step1.last": nothing("p may lie below the range's last commit", {
		doubled: 250,
		late: 120,
		onePhase: 200,
		hot: 0,
		crashes: 10,
		faults: 250,
	}),
	"step1.answer": anomaly("a prepare is answered before its intents are replicated"),
	"step2.after": anomaly("c is drawn while the prepares are on their way, and not compared with p"),
	"step3.validate": anomaly("reads outside the written keys are not validated"),
	"step3.elsewhere": anomaly("a one-phase commit does not validate what was read in another range"),
	"step3.foreign": anomaly("a validation does not look at others' pending writes and intents"),
	"step3.locked": anomaly("who read newest versions and wrote nothing does not validate", {
		newest: 600,
		writes: 500,
		operationsMax: 3,
		hot: 0,
		large: 0,
		keys: 2,
		readOnly: 100,
	}),
	"step4.intent": anomaly("a commit is applied whether or not the anchor's intent is there"),
	"step4.answer": anomaly("the client is answered when the commit is proposed"),
	"step5.rule": anomaly("a resolve turns every intent it finds into a version", {
		doubled: 250,
		late: 120,
		onePhase: 200,
		hot: 0,
	}),
	"step5.finish": standstill("intents are resolved by the gateway, once, and by nobody else"),
	"last.after": anomaly("the last agent is asked while the prepares are on their way"),
	"last.record": anomaly(
		"the last agent's record goes before what it has decided for is resolved",
		{
			removals: 800,
			onePhase: 200,
			lastAgent: 900,
			hot: 0,
		},
	),
	"large.word": anomaly("a large transaction draws c without the word that it closes"),
	"large.lease": anomaly("a later leaseholder says of a large transaction that it is open", {
		...lagging,
		large: 600,
		hot: 0,
	}),
	"large.expiry": anomaly("a leaseholder says open for timestamps above its expiry", {
		...lagging,
		leaseMs: 10,
		astray: 400,
		large: 600,
		hot: 0,
		readOnly: 400,
		silences: 0,
		crashes: 0,
		transfers: 0,
	}),
	"large.chunk": anomaly("chunks have no numbers: a late copy replaces a later value"),
	"hot.name": anomaly("a hot row's entry does not name the pending values that were read", {
		hot: 700,
		keys: 2,
	}),
	"hot.highest": anomaly(
		"of several decided values that are still pending a reader takes the first",
		{ ...lagging, leaseMs: 40, hot: 700 },
	),
	"hot.answer": anomaly("a hot row's client is answered before its own entry has applied", {
		hot: 700,
		keys: 2,
	}),
	"hot.unproposed": anomaly("a hot row takes the value of a write that is not proposed yet", {
		hot: 700,
		keys: 2,
	}),
	"hot.prepared": anomaly("a hot row takes the value of a prepared write"),
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;

export const mutationNames = Object.keys(mutations) as MutationName[];

export function isMutationName(name: string): name is MutationName {
	return Object.hasOwn(mutations, name);
}
