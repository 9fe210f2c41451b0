/** CASCADE, SET NULL, SET DEFAULT: what becomes of the rows that refer to a key that goes. */
import { assert } from "@quorate/keys/assert";
import type { LockRequest } from "@quorate/txn/types";
import type { ReferentialAction } from "../../catalog/descriptor.ts";
import type { Datum } from "../../types/datum.ts";
import type { Env, ExecRow } from "../env.ts";
import { exclusive, type RowChange, type TableWriter } from "../table-writer.ts";
import type { Reference, ReferentialWriter } from "./reference.ts";
import { type FoundReferrer, referrers } from "./referrers.ts";

const inPlace: LockRequest = { strength: "no key update", wait: "block" };

/** `newRow` undefined: the row of the referenced table was deleted. */
export async function applyAction(
	reference: Reference,
	action: ReferentialAction,
	row: ExecRow,
	newRow: ExecRow | undefined,
	env: Env,
): Promise<void> {
	const values = reference.childValues(row);
	if (values === undefined) return;
	const { action: writing } = reference;
	assert(writing !== undefined, "who writes a referenced table can write those that refer to it");
	const deletes = action === "cascade" && newRow === undefined;
	const lock = deletes || touchesKey(writing.writer, reference) ? exclusive : inPlace;
	// All are found before one is written: the search must not meet what is written.
	const found: FoundReferrer[] = [];
	for await (const some of referrers(reference, values, env.execution, lock)) found.push(...some);
	if (deletes) {
		await writing.writer.deleteRows(found, env);
		return;
	}
	const changes: RowChange[] = [];
	for (const { key: oldKey, row: oldRow } of found) {
		const changed = await changedRow(reference, writing, action, oldRow, newRow, env);
		const waiting = writing.writer.validate(changed, env);
		if (waiting !== undefined) await waiting;
		changes.push({ oldKey, oldRow, newRow: changed });
	}
	if (changes.length > 0) await writing.writer.update(changes, env);
}

const touchesKey = ({ codec }: TableWriter, { childSlots }: Reference): boolean =>
	[codec.primary, ...codec.secondary].some(
		({ index, columns }) =>
			index.unique && columns.some((column) => childSlots.includes(column.slot)),
	);

async function changedRow(
	reference: Reference,
	{ defaults }: ReferentialWriter,
	action: ReferentialAction,
	oldRow: ExecRow,
	newRow: ExecRow | undefined,
	env: Env,
): Promise<Datum[]> {
	const { key, childSlots } = reference;
	const changed = [...oldRow];
	const cascaded = action === "cascade" ? reference.cascadedValues(newRow!) : [];
	const only = newRow === undefined ? key.setColumns : [];
	for (const [i, slot] of childSlots.entries()) {
		if (only.length > 0 && !only.includes(key.columns[i]!)) continue;
		if (action === "cascade") changed[slot] = cascaded[i]!;
		else if (action === "set null") changed[slot] = null;
		else changed[slot] = await defaults[i]!.evaluate([], env);
	}
	return changed;
}
