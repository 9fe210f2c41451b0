/** Transfers between accounts: every read of all accounts at once shows the same total, all accounts, and no negative balance. */
import type { Key } from "./history.ts";

export interface BankRead {
	readonly id: number;
	/** null: the account was there, without a balance. */
	readonly balances: ReadonlyMap<Key, number | null>;
}

export interface BankProblem {
	readonly kind:
		| "wrong-total"
		| "negative-balance"
		| "unexpected-account"
		| "missing-account"
		| "no-balance";
	readonly read: number;
	readonly explanation: string;
}

export interface BankResult {
	/** Something was read, and all of it was right. */
	readonly valid: boolean;
	readonly reads: number;
	readonly problems: readonly BankProblem[];
}

export interface BankOptions {
	readonly accounts: readonly Key[];
	readonly total: number;
	readonly mayBeNegative?: boolean;
}

export function checkBank(reads: readonly BankRead[], options: BankOptions): BankResult {
	const problems = reads.flatMap((read) => judge(read, options));
	return { valid: problems.length === 0 && reads.length > 0, reads: reads.length, problems };
}

function judge(
	{ id, balances }: BankRead,
	{ accounts, total, mayBeNegative = false }: BankOptions,
): readonly BankProblem[] {
	const problems: BankProblem[] = [];
	const add = (kind: BankProblem["kind"], explanation: string) =>
		problems.push({ kind, read: id, explanation: `read ${id}: ${explanation}` });
	const known = new Set(accounts);
	let sum = 0;
	for (const [account, balance] of balances) {
		if (!known.has(account)) add("unexpected-account", `account ${account} is nobody's`);
		if (balance === null) add("no-balance", `account ${account} has no balance`);
		else if (balance < 0 && !mayBeNegative)
			add("negative-balance", `account ${account} has ${balance}`);
		sum += balance ?? 0;
	}
	for (const account of accounts) {
		if (!balances.has(account)) add("missing-account", `account ${account} is missing`);
	}
	if (sum !== total) add("wrong-total", `the accounts hold ${sum}, not ${total}`);
	return problems;
}
