/** Histories of lists: valid ones by chance, damaged ones, and what brute force says of small ones. */
import type { Key, MicroOp, Transaction } from "../history.ts";
import { inEffect, type Planned } from "./executor.ts";
import type { Random } from "./random.ts";

type Lists = Map<Key, readonly number[]>;

const keys = ["x", "y", "z"] as const;

/** Serializable at the instants of effect; or of snapshot isolation: reads at the snapshot, the first who commits wins. */
export function listHistory(
	random: Random,
	planned: readonly Planned[],
	mode: "serial" | "snapshot" = "serial",
): Transaction[] {
	const lists: Lists = new Map();
	const out: Transaction[] = [];
	const writtenAt = new Map<Key, number>();
	const versions: { readonly at: number; readonly lists: Lists }[] = [{ at: -1, lists: new Map() }];
	let value = 0;
	for (const p of inEffect(planned)) {
		const snapshot =
			mode === "serial" ? lists : versions.findLast((v) => v.at <= p.snapshotAt)!.lists;
		const local: Lists = new Map();
		const ops: MicroOp[] = [];
		for (let n = 1 + random.below(4); n > 0; n--) {
			const key = random.pick(keys);
			const list = local.get(key) ?? snapshot.get(key) ?? [];
			if (random.chance(0.5)) ops.push(["r", key, p.status === "ok" ? list : null]);
			else {
				local.set(key, [...list, ++value]);
				ops.push(["append", key, value]);
			}
		}
		const { id, process, invoked, completed } = p;
		const conflicts = [...local.keys()].some((k) => (writtenAt.get(k) ?? -1) > p.snapshotAt);
		const isRefused = mode === "snapshot" && conflicts;
		const status = isRefused && p.status === "ok" ? "fail" : p.status;
		out.push({ id, process, status, ops, invoked, completed });
		if (p.at === undefined || isRefused) continue;
		for (const [key, list] of local) {
			lists.set(key, list);
			writtenAt.set(key, p.at);
		}
		versions.push({ at: p.at, lists: new Map(lists) });
	}
	return out;
}

/** With a last transaction that reads all keys, after everything, as the order of effects left them. */
export function withLastRead(
	history: readonly Transaction[],
	planned: readonly Planned[],
): Transaction[] {
	const byId = new Map(history.map((t) => [t.id, t]));
	const lists: Lists = new Map();
	for (const p of inEffect(planned)) {
		if (p.at === undefined) continue;
		for (const op of byId.get(p.id)!.ops) {
			if (op[0] === "append") lists.set(op[1], [...(lists.get(op[1]) ?? []), op[2]]);
		}
	}
	const ops = keys.map((k): MicroOp => ["r", k, lists.get(k) ?? []]);
	return [...history, { id: -1, process: -1, status: "ok", ops, invoked: 1e6, completed: 1e6 + 1 }];
}

/** Changes single reads: they may be older, swapped, or unchanged. */
export function damage(random: Random, history: readonly Transaction[]): Transaction[] {
	return history.map((t) => ({
		...t,
		ops: t.ops.map((op): MicroOp => {
			if (op[0] !== "r" || op[2] === null || !random.chance(0.4)) return op;
			return ["r", op[1], op[2].slice(0, random.below(op[2].length + 1))];
		}),
	}));
}

/** Whether some order of all ok transactions and any of the info ones explains every read, in real time if asked. */
export function isSerializable(history: readonly Transaction[], realTime: boolean): boolean {
	const certain = history.filter((t) => t.status === "ok");
	const open = history.filter((t) => t.status === "info");
	const place = (
		left: readonly Transaction[],
		rest: readonly Transaction[],
		lists: Lists,
	): boolean => {
		if (left.length === 0) return true;
		for (const t of [...left, ...rest]) {
			if (realTime && left.some((o) => o !== t && o.completed < t.invoked)) continue;
			const after = apply(t, lists, lists);
			if (after === undefined) continue;
			const without = (of: readonly Transaction[]) => of.filter((o) => o !== t);
			if (place(without(left), without(rest), after)) return true;
		}
		return false;
	};
	return place(certain, open, new Map());
}

/** Whether some order of snapshots and commits explains every read, where of two that overlap only one writes a key. */
export function isSnapshotIsolated(history: readonly Transaction[]): boolean {
	interface Open {
		readonly snapshot: Lists;
		/** Written since by others. */
		readonly written: Set<Key>;
	}
	const certain = history.filter((t) => t.status === "ok");
	const uncertain = history.filter((t) => t.status === "info");
	const place = (
		left: readonly Transaction[],
		rest: readonly Transaction[],
		open: ReadonlyMap<Transaction, Open>,
		lists: Lists,
	): boolean => {
		if (left.length === 0) return true;
		const without = (of: readonly Transaction[], t: Transaction) => of.filter((o) => o !== t);
		for (const [t, { snapshot, written }] of open) {
			const keysOf = new Set(t.ops.filter((op) => op[0] === "append").map((op) => op[1]));
			if ([...keysOf].some((k) => written.has(k))) continue;
			const after = apply(t, snapshot, lists);
			if (after === undefined) continue;
			const others = new Map<Transaction, Open>();
			for (const [o, state] of open) {
				if (o !== t) others.set(o, { ...state, written: new Set([...state.written, ...keysOf]) });
			}
			if (place(without(left, t), without(rest, t), others, after)) return true;
		}
		for (const t of [...left, ...rest]) {
			if (open.has(t)) continue;
			// A snapshot that contradicts a read leads nowhere.
			if (apply(t, lists, lists) === undefined) continue;
			const more = new Map([...open, [t, { snapshot: lists, written: new Set<Key>() }]]);
			if (place(left, rest, more, lists)) return true;
		}
		return false;
	};
	return place(certain, uncertain, new Map(), new Map());
}

/** The lists after it; undefined: its reads are not what it would read from `snapshot`. */
function apply(t: Transaction, snapshot: Lists, lists: Lists): Lists | undefined {
	const local: Lists = new Map();
	const out: Lists = new Map(lists);
	for (const op of t.ops) {
		const list = local.get(op[1]) ?? snapshot.get(op[1]) ?? [];
		if (op[0] === "append") {
			local.set(op[1], [...list, op[2]]);
			out.set(op[1], [...(out.get(op[1]) ?? []), op[2]]);
		} else if (op[2] !== null && t.status === "ok") {
			if (op[2].length !== list.length || op[2].some((v, i) => v !== list[i])) return undefined;
		}
	}
	return out;
}
