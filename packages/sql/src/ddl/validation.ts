/** Constraints whose rows are looked at by a job (`validate-rows.ts`): how that begins, ends, and is taken back. */
import { isActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import { columnByAttnum, type TableDescriptor, type Validation } from "../catalog/descriptor.ts";
import { build } from "./backfill.ts";
import type { RowWork } from "./row-work.ts";
import type { SchemaEditor } from "./schema-editor.ts";

/** Whether a job looks at the rows. */
export async function isLookedAtLater(
	editor: SchemaEditor,
	table: TableDescriptor,
	rows: RowWork,
): Promise<boolean> {
	const { values } = editor.state.services.placement.settings();
	return isActive(values, "validating") && !(await rows.isDirect(table));
}

/** `table`: with the constraint, as one that is NOT VALID. */
export async function beginValidation(
	editor: SchemaEditor,
	table: TableDescriptor,
	kind: Validation["kind"],
	of: number,
): Promise<void> {
	const validation: Validation = { id: await editor.newId(), kind, of };
	await editor.put({ ...table, validating: [...(table.validating ?? []), validation] });
	const { state } = editor;
	editor.block.afterCommit.push(() => build(state, table.oid, validation.id));
}

/** Throws 55006 where its rows are being looked at, or `all` those of any constraint. */
export function refuseValidating(table: TableDescriptor, of: number | "all"): void {
	const found = table.validating?.find((one) => of === "all" || one.of === of);
	if (found === undefined) return;
	throw new DatabaseError(
		"55006",
		`cannot alter table "${table.name}" because ${found.kind} of "${validatedName(table, found)}" is under way`,
		{ hint: "Try again when it has ended (SHOW JOBS)." },
	);
}

/** Of the constraint, or of the column that is to be NOT NULL. */
export function validatedName(table: TableDescriptor, { kind, of }: Validation): string {
	if (kind === "SET NOT NULL") return columnByAttnum(table, of).name;
	const found = [...table.checks, ...table.foreignKeys].find(({ oid }) => oid === of);
	return found?.name ?? "";
}

const without = (table: TableDescriptor, { id }: Validation): TableDescriptor => {
	const { validating = [], ...rest } = table;
	const others = validating.filter((one) => one.id !== id);
	return others.length === 0 ? rest : { ...rest, validating: others };
};

/** All rows are as it wants. */
export function validated(table: TableDescriptor, validation: Validation): TableDescriptor {
	const { checks, foreignKeys, ...rest } = without(table, validation);
	if (validation.kind === "SET NOT NULL") return { ...rest, checks, foreignKeys };
	return {
		...rest,
		checks: checks.map((check) => {
			if (check.oid !== validation.of) return check;
			const { notValid: _before, ...valid } = check;
			return valid;
		}),
		foreignKeys: foreignKeys.map((key) =>
			key.oid === validation.of ? { ...key, validated: true } : key,
		),
	};
}

/** As it was before. */
export function unvalidated(table: TableDescriptor, validation: Validation): TableDescriptor {
	const { kind, of } = validation;
	const rest = without(table, validation);
	switch (kind) {
		case "ADD CHECK":
			return { ...rest, checks: rest.checks.filter(({ oid }) => oid !== of) };
		case "ADD FOREIGN KEY":
			return { ...rest, foreignKeys: rest.foreignKeys.filter(({ oid }) => oid !== of) };
		case "SET NOT NULL": {
			const columns = rest.columns.map((column) =>
				column.attnum === of ? { ...column, notNull: false } : column,
			);
			return { ...rest, columns };
		}
		default:
			return rest;
	}
}

/** Nobody has to look any more: it holds. */
export function isValid(table: TableDescriptor, { kind, of }: Validation): boolean {
	if (kind === "SET NOT NULL") return columnByAttnum(table, of).notNull;
	return (
		table.checks.some(({ oid, notValid }) => oid === of && notValid === undefined) ||
		table.foreignKeys.some((key) => key.oid === of && key.validated)
	);
}

/** Without those of constraints that are no more. */
export function withoutStale(table: TableDescriptor): TableDescriptor {
	const isThere = ({ kind, of }: Validation): boolean =>
		kind === "SET NOT NULL"
			? columnByAttnum(table, of).notNull
			: [...table.checks, ...table.foreignKeys].some(({ oid }) => oid === of);
	const stale = table.validating?.filter((one) => !isThere(one)) ?? [];
	return stale.reduce(without, table);
}
