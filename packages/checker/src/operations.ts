/**
 * Histories as files hold them, for this package's checkers and others' (Elle, Knossos, Porcupine): one operation a line, in the
 * order of real time; an invocation is written before the operation is sent, its completion after the answer has come.
 *
 * The rules, which `validate` checks:
 *  1 Indexes count from 0 without gaps, times do not decrease.
 *  2 A process is a whole number from 0 on. It has one open operation: after an invocation comes its completion, before the next.
 *  3 A completion is ok, fail (it certainly did not happen) or info (not known), of the same f; after info the process is retired.
 *  4 Every invocation has a completion: info at the end, where no answer came.
 *  5 Of transactions, the completion has the operations of the invocation in their order, the same but for what reads read; an
 *    invocation knows nothing of that yet.
 *  6 Values that transactions write are whole numbers, each written to a key once.
 *
 * Faults stand in between as operations of the process "nemesis", all of them info: none of the rules but the first is for them.
 */
export type OperationType = "invoke" | "ok" | "fail" | "info";

/** What JSON can hold. */
export type Value =
	| null
	| boolean
	| number
	| string
	| readonly Value[]
	| { readonly [name: string]: Value };

export interface Operation {
	readonly index: number;
	/** Nanoseconds since the run began, by a clock that never goes back. */
	readonly time: number;
	readonly process: number | "nemesis";
	readonly type: OperationType;
	/** What is done: txn, read, add ... */
	readonly f: string;
	readonly value: Value;
	/** Of fail and info: why. */
	readonly error?: string;
}

export interface Problem {
	readonly index: number;
	readonly explanation: string;
}

/** All breaches of the rules; none: the history can be checked. */
export function validate(history: readonly Operation[]): readonly Problem[] {
	const problems: Problem[] = [];
	const open = new Map<number, Operation>();
	const retired = new Set<number>();
	const written = new Set<string>();
	let time = Number.NEGATIVE_INFINITY;
	for (const [position, operation] of history.entries()) {
		const add = (explanation: string) => problems.push({ index: operation.index, explanation });
		if (operation.index !== position) add(`index ${operation.index} stands at place ${position}`);
		if (!(operation.time >= time)) add(`time ${operation.time} comes after ${time}`);
		time = operation.time;
		if (operation.process === "nemesis") continue;
		validateProcess(operation, operation.process, open, retired, add);
		if (operation.f === "txn" && operation.type === "invoke") {
			validateWrites(operation.value, written, add);
		}
	}
	for (const { index, process } of open.values()) {
		problems.push({ index, explanation: `the operation of process ${process} never completes` });
	}
	return problems;
}

function validateProcess(
	operation: Operation,
	process: number,
	open: Map<number, Operation>,
	retired: Set<number>,
	add: (explanation: string) => void,
): void {
	if (!Number.isSafeInteger(process) || process < 0) add(`${process} is no process`);
	if (retired.has(process)) add(`process ${process} goes on after info`);
	const invocation = open.get(process);
	if (operation.type === "invoke") {
		if (invocation !== undefined) {
			add(`process ${process} begins while its operation ${invocation.index} is open`);
		}
		open.set(process, operation);
		return;
	}
	open.delete(process);
	if (operation.type === "info") retired.add(process);
	if (invocation === undefined) add(`process ${process} completes what it did not begin`);
	else if (invocation.f !== operation.f) add(`${invocation.f} completes as ${operation.f}`);
	else if (operation.f === "txn" && operation.type === "ok") {
		if (!agree(invocation.value, operation.value)) {
			add(`what was answered is not what operation ${invocation.index} asked`);
		}
	}
}

/** Rule 5. */
function agree(asked: Value, answered: Value): boolean {
	if (!Array.isArray(asked) || !Array.isArray(answered) || asked.length !== answered.length) {
		return false;
	}
	return asked.every((op: Value, i) => {
		const other: Value = answered[i];
		if (!Array.isArray(op) || !Array.isArray(other)) return false;
		const fixed = isRead(op) ? 2 : 3;
		return JSON.stringify(op.slice(0, fixed)) === JSON.stringify(other.slice(0, fixed));
	});
}

const isRead = (op: readonly Value[]): boolean => op[0] === "r" || op[0] === "p";

function validateWrites(
	value: Value,
	written: Set<string>,
	add: (explanation: string) => void,
): void {
	if (!Array.isArray(value)) {
		add("the value of a txn is a list of operations");
		return;
	}
	for (const op of value as readonly Value[]) {
		if (!Array.isArray(op) || op.length !== 3 || typeof op[0] !== "string") {
			add(`${JSON.stringify(op)} is no operation of a transaction`);
		} else if (isRead(op)) {
			if (op[2] !== null) add(`${JSON.stringify(op)} knows before it reads`);
		} else if (op[0] === "append" || op[2] !== null) {
			const place = JSON.stringify([op[1], op[2]]);
			if (!Number.isSafeInteger(op[2])) add(`${JSON.stringify(op)} does not write a whole number`);
			else if (written.has(place)) add(`${op[2]} is written to ${op[1]} twice`);
			written.add(place);
		}
	}
}

/** A file that cannot be read as a history. `line` counts from 1. */
export class HistoryError extends Error {
	override readonly name = "HistoryError";
	readonly line: number;

	constructor(line: number, message: string) {
		super(`line ${line}: ${message}`);
		this.line = line;
	}
}

const types: ReadonlySet<unknown> = new Set(["invoke", "ok", "fail", "info"]);

/** What was read from a line, if it is an operation. Checks its form, not the rules. */
export function toOperation(line: number, read: Value): Operation {
	if (read === null || typeof read !== "object" || Array.isArray(read)) {
		throw new HistoryError(line, "an operation is a map");
	}
	const { index, time, process, type, f, value, error } = read as Record<string, Value | undefined>;
	if (typeof index !== "number") throw new HistoryError(line, "index is missing");
	if (typeof time !== "number") throw new HistoryError(line, "time is missing");
	if (typeof process !== "number" && process !== "nemesis") {
		throw new HistoryError(line, "process is neither a number nor nemesis");
	}
	if (!types.has(type)) throw new HistoryError(line, `${JSON.stringify(type)} is no type`);
	if (typeof f !== "string") throw new HistoryError(line, "f is missing");
	return {
		...{ index, time, process, f, type: type as OperationType, value: value ?? null },
		...(error === undefined || error === null
			? {}
			: { error: typeof error === "string" ? error : JSON.stringify(error) }),
	};
}
