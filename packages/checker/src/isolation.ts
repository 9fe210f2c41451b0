/**
 * What a history of transactions must not show, and which level of isolation rules it out. This is the package's main file:
 * the definitions follow Adya's thesis ("Weak Consistency", 1999), the inference of version orders Elle (Kingsbury and Alvaro,
 * VLDB 2020), the cycles that snapshot isolation allows Cerone and Gotsman ("Analysing Snapshot Isolation", 2018).
 *
 * Histories and dependencies
 *  D1 A history holds what clients saw: transactions with their operations, an interval of real time each, and an end: ok
 *     (committed), fail (certainly not), info (not known). Members are the ok ones, and the info ones of which an ok one read
 *     something: what somebody saw has happened. What an info one itself read is not known, and it never ended.
 *  D2 A version of a key is what a member left there at its end. The version order of a key is the order in which versions came.
 *     A list tells it itself: the longest read is the order, and members' appends that nobody read come after it. Registers tell
 *     less: what was there initially is first; who reads a version and writes the key makes a later one; where asked for, also
 *     the order of a process, of real time, and of commit timestamps.
 *  D3 ww: A made a version, B a later one of the same key. wr: B read a version that A made. rw (item anti-dependency): A read a
 *     version, B made a later one of the same key. prw (predicate anti-dependency): A found that a key was not there, by a
 *     condition that covers it, and B made it.
 *  D4 process: one process ran A, then B. rt: A had ended before B began. Both are chains with few edges: the reachability of the
 *     interval order in linear size.
 *
 * Phenomena of single reads
 *  D5 G1a: a read of what an aborted transaction wrote. D6 G1b: a read of what its writer later overwrote itself.
 *  D7 phantom-value: a read of what nobody wrote. D8 internal: a transaction contradicts its own writes.
 *  D9 duplicate-elements: one element twice in a list. D10 incompatible-order: two reads that no order of appends explains.
 *  D11 non-repeatable-read: two versions of one key in one transaction (of lists, D14 says it).
 *  D12 lost-update: two members read the same version of a key, and both wrote the key.
 *      cyclic-versions: a version that would be later than itself. invalid-history: one value written twice; nothing is said then.
 *
 * Cycles of dependencies, each printed as a shortest one
 *  D13 G0: of ww alone. G1c: of ww and at least one wr.
 *  D14 G-single: with exactly one rw. D15 G-nonadjacent: with several, of which no two follow each other.
 *  D16 G2-item: with rw, two of them in a row. D17 G-single-predicate, G-nonadjacent-predicate, G2: as before, with a prw.
 *  D18 X-process, X-realtime: as X, where only the order of processes, or of real time, closes the cycle.
 *
 * Levels
 *  D19 Each rules out a set of these (below). Repeatable read is Adya's PL-2.99, not PostgreSQL's level of that name, which is
 *      snapshot isolation. "strong" adds real time, "strong-session" the order of processes; strict serializable rules out all.
 *  D20 Of a kind that is weaker than one found among the same transactions nothing is said: whoever rules out the weaker one rules
 *      out that found. So a level is judged right, and a report stays short.
 *
 * Left out: versions of registers whose order nothing tells; predicates other than "is there"; cursors.
 *
 * May import: nothing. The simulator and the tests with real processes check their histories here. Beside this file: list-append.ts
 * and registers.ts (transactions), linearizability.ts (single keys), set.ts, bank.ts, monotonic.ts, long-fork.ts, causal-reverse.ts,
 * unique-ids.ts, availability.ts, and for files operations.ts, jsonl.ts, edn.ts, transactions.ts.
 */
export type Level =
	| "read-uncommitted"
	| "read-committed"
	| "repeatable-read"
	| "snapshot-isolation"
	| "serializable"
	| "strong-session-snapshot-isolation"
	| "strong-session-serializable"
	| "strong-snapshot-isolation"
	| "strict-serializable";

export interface Anomaly {
	readonly kind: string;
	/** A line a step, for a person. */
	readonly explanation: readonly string[];
	/** Of a cycle: its steps, to be drawn. */
	readonly steps?: readonly Step[];
}

/** One edge of a cycle, between transactions by their ids. */
export interface Step {
	readonly from: number;
	readonly to: number;
	readonly kind: string;
	readonly text: string;
}

export interface CheckResult {
	/** Something committed, and nothing was found that the level rules out. */
	readonly valid: boolean;
	/** Committed transactions: a history without any proves nothing. */
	readonly ok: number;
	/** What the level rules out. */
	readonly anomalies: readonly Anomaly[];
	/** What was found besides, and the level allows. */
	readonly allowed: readonly Anomaly[];
}

export interface CheckOptions {
	/** What the database promised: strict serializable where nothing is said. */
	readonly level?: Level;
	/** Cycles of each kind that are told at most. */
	readonly cyclesMax?: number;
}

const always = [
	"G0",
	"phantom-value",
	"internal",
	"duplicate-elements",
	"cyclic-versions",
	"invalid-history",
];
const committed = [...always, "G1a", "G1b", "G1c", "incompatible-order"];
const repeatable = [
	...committed,
	"G-single",
	"G-nonadjacent",
	"G2-item",
	"lost-update",
	"non-repeatable-read",
];
const snapshot = [
	...committed,
	"G-single",
	"G-single-predicate",
	"G-nonadjacent",
	"G-nonadjacent-predicate",
	"lost-update",
	"non-repeatable-read",
];
const serializable = [...snapshot, "G2-item", "G2"];
/** Only cycles have variants; of other kinds these names never occur. */
const withProcess = (kinds: readonly string[]) => kinds.flatMap((k) => [k, `${k}-process`]);
const withRealTime = (kinds: readonly string[]) => [
	...withProcess(kinds),
	...kinds.map((k) => `${k}-realtime`),
];

const ruledOut: Readonly<Record<Level, ReadonlySet<string>>> = {
	"read-uncommitted": new Set(always),
	"read-committed": new Set(committed),
	"repeatable-read": new Set(repeatable),
	"snapshot-isolation": new Set(snapshot),
	serializable: new Set(serializable),
	"strong-session-snapshot-isolation": new Set(withProcess(snapshot)),
	"strong-session-serializable": new Set(withProcess(serializable)),
	"strong-snapshot-isolation": new Set(withRealTime(snapshot)),
	"strict-serializable": new Set(withRealTime(serializable)),
};

export const levels = Object.keys(ruledOut) as readonly Level[];

export const rulesOut = (level: Level, kind: string): boolean => ruledOut[level].has(kind);

/** The levels that a history with these anomalies cannot have had. */
export const levelsBroken = (anomalies: readonly Anomaly[]): readonly Level[] =>
	levels.filter((level) => anomalies.some((a) => rulesOut(level, a.kind)));

/** Parts what was found by what the level promises. */
export function judge(found: readonly Anomaly[], ok: number, level: Level): CheckResult {
	const anomalies = found.filter((a) => rulesOut(level, a.kind));
	const allowed = found.filter((a) => !rulesOut(level, a.kind));
	return { valid: anomalies.length === 0 && ok > 0, ok, anomalies, allowed };
}

/** An anomaly with the transactions of its cycle, as text of several lines. */
export function printAnomaly(
	anomaly: Anomaly,
	history: readonly { readonly id: number; readonly ops: readonly (readonly unknown[])[] }[],
): string {
	const ids = [...new Set((anomaly.steps ?? []).map((s) => s.from))];
	const byId = new Map(ids.length === 0 ? [] : history.map((t) => [t.id, t]));
	const transactions = ids.map((id) => {
		const ops = byId.get(id)?.ops ?? [];
		return `  T${id} = ${ops.map((op) => op.map(printValue).join(" ")).join(", ")}`;
	});
	if (ids.length === 0)
		return [anomaly.kind, ...anomaly.explanation.map((l) => `  ${l}`)].join("\n");
	const last = anomaly.explanation.length - 1;
	const steps = anomaly.explanation.map(
		(line, i) => `  ${i + 1}. ${line}${i === last ? ": a contradiction" : ", so"}`,
	);
	return [anomaly.kind, ...transactions, "Then:", ...steps].join("\n");
}

const printValue = (value: unknown): string =>
	Array.isArray(value) ? `[${value.map(printValue).join(" ")}]` : String(value ?? "nothing");
