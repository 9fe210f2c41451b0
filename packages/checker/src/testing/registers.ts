/** Histories of registers: valid ones by chance, damaged ones, and what brute force says of small ones. */
import type { Key } from "../history.ts";
import type { RegisterOp, RegisterTransaction } from "../registers.ts";
import { inEffect, type Planned } from "./executor.ts";
import type { Random } from "./random.ts";

type Registers = ReadonlyMap<Key, number | null>;

const keys = ["x", "y", "z"] as const;

export function registerHistory(
	random: Random,
	planned: readonly Planned[],
	options: { readonly timestamps: boolean; readonly deletions: boolean },
): RegisterTransaction[] {
	let registers: Registers = new Map();
	let value = 0;
	return inEffect(planned).map((p, timestamp) => {
		const local = new Map(registers);
		const isKnown = p.status === "ok";
		const ops = Array.from({ length: 1 + random.below(4) }, (): RegisterOp => {
			const key = random.pick(keys);
			if (random.chance(0.15)) {
				const found = keys.flatMap((k) =>
					(local.get(k) ?? null) === null ? [] : [[k, local.get(k)!] as const],
				);
				return ["p", keys, isKnown ? found : null];
			}
			if (random.chance(0.5)) return ["r", key, isKnown ? (local.get(key) ?? null) : null];
			const written = options.deletions && random.chance(0.2) ? null : ++value;
			local.set(key, written);
			return ["w", key, written];
		});
		if (p.at !== undefined) registers = local;
		const { id, process, status, invoked, completed } = p;
		return {
			...{ id, process, status, ops, invoked, completed },
			timestamp: options.timestamps && isKnown ? timestamp : undefined,
		};
	});
}

/** Changes single reads to what others wrote at some time, or to nothing. */
export function damage(
	random: Random,
	history: readonly RegisterTransaction[],
): RegisterTransaction[] {
	const values = new Map<Key, (number | null)[]>(keys.map((k) => [k, [null]]));
	for (const t of history)
		for (const op of t.ops) if (op[0] === "w") values.get(op[1])!.push(op[2]);
	return history.map((t) => ({
		...t,
		ops: t.ops.map((op): RegisterOp => {
			if (t.status !== "ok" || op[0] !== "r" || !random.chance(0.4)) return op;
			return ["r", op[1], random.pick(values.get(op[1])!)];
		}),
	}));
}

/** Whether some order of all ok transactions and any of the info ones explains every read, in real time if asked. */
export function isSerializable(
	history: readonly RegisterTransaction[],
	realTime: boolean,
): boolean {
	const place = (
		left: readonly RegisterTransaction[],
		rest: readonly RegisterTransaction[],
		registers: Registers,
	): boolean => {
		if (left.length === 0) return true;
		for (const t of [...left, ...rest]) {
			if (realTime && left.some((o) => o !== t && o.completed < t.invoked)) continue;
			const after = apply(t, registers);
			if (after === undefined) continue;
			const without = (of: readonly RegisterTransaction[]) => of.filter((o) => o !== t);
			if (place(without(left), without(rest), after)) return true;
		}
		return false;
	};
	const of = (status: string) => history.filter((t) => t.status === status);
	return place(of("ok"), of("info"), new Map());
}

function apply(t: RegisterTransaction, registers: Registers): Registers | undefined {
	const local = new Map(registers);
	const get = (key: Key) => local.get(key) ?? null;
	for (const op of t.ops) {
		if (op[0] === "w") local.set(op[1], op[2]);
		else if (t.status !== "ok") continue;
		else if (op[0] === "r") {
			if (get(op[1]) !== op[2]) return undefined;
		} else if (op[2] !== null) {
			const found = new Map(op[2]);
			if (op[1].some((key) => get(key) !== (found.get(key) ?? null))) return undefined;
		}
	}
	return local;
}
