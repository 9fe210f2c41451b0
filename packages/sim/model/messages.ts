/** What travels: requests and answers, proposals to a range's log, words to and from the oracle and the anchors. */
import type { OracleMember, Replica, Site, Wait, World } from "./state.ts";
import type { Call } from "./transaction.ts";

/** `since`: the key must be unchanged since then; -1: a blind write. */
export interface Write {
	readonly key: number;
	readonly value: number;
	readonly since: number;
	readonly mark: boolean;
}

/** A read to be validated at c: no change of the key in (since, c]. */
export interface Item {
	readonly key: number;
	readonly since: number;
}

/** A row of a statement that the leaseholder evaluates: it reads the value, or writes one, or both. */
export interface HotRow {
	readonly key: number;
	readonly reads: boolean;
	/** 0: it only reads. */
	readonly value: number;
}

/** A pending value that a hot row has read: its transaction and its c. */
export interface Named {
	readonly key: number;
	readonly transaction: number;
	readonly c: number;
}

export type Body =
	| { readonly kind: "read"; readonly keys: readonly number[]; readonly s: number }
	| { readonly kind: "newest"; readonly key: number }
	| {
			readonly kind: "prepare";
			readonly writes: readonly Write[];
			readonly chunk: number;
			readonly anchor: number;
			/** The first chunks of a large transaction: it is open. */
			readonly opens: boolean;
	  }
	| { readonly kind: "close"; readonly anchor: number }
	| { readonly kind: "validate"; readonly items: readonly Item[]; readonly c: number }
	| {
			readonly kind: "one-phase";
			readonly writes: readonly Write[];
			readonly items: readonly Item[];
			/** Of the other range: the leaseholder asks there. */
			readonly elsewhere: readonly Item[];
			readonly anchor: number;
			/** What was prepared in the other range, for which this decides, too. */
			readonly keys: readonly number[];
	  }
	| { readonly kind: "hot"; readonly rows: readonly HotRow[]; readonly anchor: number }
	| {
			readonly kind: "commit";
			readonly anchor: number;
			readonly c: number;
			readonly keys: readonly number[];
	  }
	| { readonly kind: "abort"; readonly anchor: number }
	| { readonly kind: "issue" };

export type AnswerKind =
	| "values"
	| "prepared"
	| "committed"
	| "aborted"
	/** T4: it cannot be learned any more. */
	| "unknown"
	| "done"
	| "issued"
	/** Nothing was done, and nothing will be because of this send. */
	| "refused"
	/** Likewise; another replica may serve it. */
	| "not-leaseholder"
	/** No answer came. */
	| "lost";

export interface Answer {
	readonly kind: AnswerKind;
	/** p, c, the issued timestamp, or the newest change of a key. */
	readonly ts: number;
	readonly values: readonly number[];
	/** Of a newest value: it is validated from here on. */
	readonly since: number;
}

export const noValues: readonly number[] = [];

export function answer(
	kind: AnswerKind,
	ts = 0,
	values: readonly number[] = noValues,
	since = 0,
): Answer {
	return { kind, ts, values, since };
}

export type Command =
	| {
			readonly kind: "lease";
			readonly replaces: number;
			readonly node: number;
			readonly boot: number;
			readonly start: number;
			readonly expiry: number;
	  }
	| { readonly kind: "extend"; readonly expiry: number }
	| {
			readonly kind: "transfer";
			readonly node: number;
			readonly boot: number;
			readonly t: number;
			readonly expiry: number;
	  }
	| {
			readonly kind: "prepare";
			readonly transaction: number;
			readonly begin: number;
			readonly p: number;
			readonly anchor: number;
			readonly chunk: number;
			readonly writes: readonly Write[];
	  }
	| {
			readonly kind: "one-phase";
			readonly transaction: number;
			readonly begin: number;
			readonly c: number;
			readonly writes: readonly Write[];
			readonly names: readonly Named[];
			readonly values: readonly number[];
			readonly keys: readonly number[];
	  }
	| {
			readonly kind: "commit";
			readonly transaction: number;
			readonly begin: number;
			readonly anchor: number;
			readonly c: number;
			readonly keys: readonly number[];
	  }
	| {
			readonly kind: "abort";
			readonly transaction: number;
			readonly begin: number;
			readonly anchor: number;
	  }
	/** c 0: the transaction aborted. */
	| {
			readonly kind: "resolve";
			readonly transaction: number;
			readonly key: number;
			readonly c: number;
	  }
	| { readonly kind: "remove"; readonly transaction: number };

/** An entry on its way to the log, where it may arrive twice, late or never. */
export interface Proposal {
	readonly kind: "proposal";
	readonly range: number;
	/** L3: the lease sequence under which it became pending, and a number that rises within it. */
	readonly sequence: number;
	readonly number: number;
	readonly command: Command;
	/** Who proposed it, in which boot, and who is told of what became of it. */
	readonly from: Replica;
	readonly boot: number;
	applied: ((result: Answer) => void) | undefined;
}

export interface Request {
	readonly kind: "request";
	readonly node: number;
	readonly call: Call;
	/** The highest issued timestamp that the sender has seen. */
	readonly seen: number;
}

export type Message =
	| Request
	| Proposal
	| { readonly kind: "answer"; readonly call: Call; readonly answer: Answer }
	/** Somebody waits at a replica: `look` is true when that is over. */
	| {
			readonly kind: "waiting";
			readonly replica: Replica;
			readonly boot: number;
			readonly look: () => boolean;
	  }
	| OracleMessage
	| {
			readonly kind: "inquiry";
			readonly from: Replica;
			readonly boot: number;
			readonly node: number;
			readonly transaction: number;
			readonly begin: number;
			readonly anchor: number;
			readonly key: number;
			/** The timestamp of the read or validation that waits; 0: none. */
			readonly s: number;
	  }
	| {
			readonly kind: "outcome";
			readonly to: Replica;
			readonly boot: number;
			readonly transaction: number;
			readonly key: number;
			/** c, `aborted` or `unknown`; or `undecided`, where c will be above `above`. */
			readonly decision: number;
			readonly above: number;
	  }
	| {
			readonly kind: "resolve";
			readonly node: number;
			readonly transaction: number;
			readonly key: number;
			readonly c: number;
			/** Who wants to know when it has applied. */
			readonly from: Replica | undefined;
			readonly boot: number;
	  }
	| {
			readonly kind: "resolved";
			readonly to: Replica;
			readonly boot: number;
			readonly transaction: number;
			readonly key: number;
	  };

export type OracleMessage =
	| {
			readonly kind: "oracle-request";
			readonly member: OracleMember;
			readonly site: Site;
			readonly waits: readonly Wait[];
	  }
	/** A quorum is asked whether the member still leads. */
	| {
			readonly kind: "oracle-round";
			readonly member: OracleMember;
			readonly term: number;
			readonly site: Site;
			readonly waits: readonly Wait[];
	  }
	| {
			readonly kind: "oracle-confirmed";
			readonly member: OracleMember;
			readonly term: number;
			readonly site: Site;
			readonly waits: readonly Wait[];
	  }
	| {
			readonly kind: "oracle-answer";
			readonly first: number;
			readonly site: Site;
			readonly waits: readonly Wait[];
	  }
	/** An entry of the placement group: a ceiling, or (0) the first of a new leader. */
	| {
			readonly kind: "oracle-entry";
			readonly member: OracleMember;
			readonly term: number;
			readonly ceiling: number;
	  };

/** Within a machine, or where loss is somebody else's subject. */
export function post(w: World, m: Message): void {
	w.bag.push(m);
}

/** Over the network. A send of a one-phase commit is delivered, and answered, at most once (T3). */
export function send(w: World, m: Message): void {
	if (!w.isStormy) {
		w.bag.push(m);
		return;
	}
	const { lost, doubled, late } = w.weather;
	const x = w.random.below(1_000);
	if (x < lost) {
		w.counts.lost++;
		return;
	}
	if (x < lost + doubled && !isOnePhase(m)) {
		w.counts.copies++;
		if (w.random.oneIn(2)) w.bag.push(m);
		else w.late.push(m);
	}
	if (x >= 1_000 - late) w.late.push(m);
	else w.bag.push(m);
}

function isOnePhase(m: Message): boolean {
	if (m.kind !== "request" && m.kind !== "answer") return false;
	const { kind } = m.call.body;
	return kind === "one-phase" || kind === "hot";
}

export const refused = answer("refused");
export const notLeaseholder = answer("not-leaseholder");

export function reply(w: World, call: Call, a: Answer): void {
	send(w, { kind: "answer", call, answer: a });
}

/** Looks at once, and again until `look` says that there is nothing more to wait for. */
export function wait(w: World, replica: Replica, look: () => boolean): void {
	if (!look()) post(w, { kind: "waiting", replica, boot: replica.boot, look });
}
