/**
 * What a table's rows are to become, as one action of ALTER TABLE wants it, or several that share it. Of a table with many rows it is begun
 * here, and a job does it (`backfill.ts`): from the commit of the statement on all writers make the new form of each row that they write
 * (`plan/row-conversion.ts`), the job makes that of all others, and one more schema change makes it what the table is (S5). Nothing
 * is changed before `begin`: what cannot be done so is done in the transaction of the statement.
 */
import { isActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type AlteredColumn,
	columnByAttnum,
	type IndexDescriptor,
	isGenerated,
	primaryKeyOf,
	type RewriteChange,
	type RewriteSettings,
	type SequenceDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { indexedColumns } from "../catalog/indexed-columns.ts";
import type { ColumnDefinition } from "../parser/ast.ts";
import { bindDefault } from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { isAnywhere, mayChange } from "../plan/row-conversion.ts";
import { binderFor } from "../session/evaluate.ts";
import { build } from "./backfill.ts";
import { isKey, type NewColumn } from "./column-definition.ts";
import { isDirect } from "./create-index.ts";
import { changedForm } from "./index-columns.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { keyIndex, movedIndex, movedIndexes, newCheck, rowidIndex } from "./table-parts.ts";
import { refuseValidating } from "./validation.ts";

export class Rewrite {
	readonly before: TableDescriptor;
	readonly #editor: SchemaEditor;
	/** As it will be; its indexes are as they were. */
	#table: TableDescriptor;
	#kind: RewriteChange["kind"] | undefined;
	readonly #added: number[] = [];
	readonly #altered: AlteredColumn[] = [];
	readonly #sequences: SequenceDescriptor[] = [];
	readonly #indexes: IndexDescriptor[] = [];
	/** Names of what comes. */
	readonly taken = new Set<string>();
	#primary: IndexDescriptor | undefined;
	#dropped: number | undefined;

	private constructor(editor: SchemaEditor, table: TableDescriptor) {
		this.#editor = editor;
		this.before = table;
		this.#table = table;
	}

	/** Undefined: what becomes of the rows is done in the transaction. */
	static async of(editor: SchemaEditor, table: TableDescriptor): Promise<Rewrite | undefined> {
		const { values } = editor.state.services.placement.settings();
		if (!isActive(values, "rewriting")) return undefined;
		// Older builds would make texts of dates in that style only.
		if (!editor.state.context.dateStyle.startsWith("ISO")) return undefined;
		const direct = await isDirect(editor, table, editor.block.isAlone);
		return direct ? undefined : new Rewrite(editor, table);
	}

	/** With what was said so far. */
	get table(): TableDescriptor {
		return this.#table;
	}

	/** `after`: the table with the column, its type changed. False: not here, and nothing is changed by having asked. */
	alter(after: TableDescriptor, attnum: number, value: Bound, text: string): boolean {
		const { type, collation } = columnByAttnum(after, attnum);
		const isShared = this.before.indexes.some(
			(index) => index.deferrable !== undefined && indexedColumns(this.before, index).has(attnum),
		);
		// Keys that are shared for a while are looked for in the old form only.
		if (isShared || mayChange(type) || !isAnywhere(value)) return false;
		this.#kind ??= "ALTER COLUMN TYPE";
		this.#altered.push({ attnum, type, text, ...(collation === undefined ? {} : { collation }) });
		this.#table = after;
		return true;
	}

	/** `after`: the table with the column as its last. False: likewise. */
	async add(
		after: TableDescriptor,
		{ sequence }: NewColumn,
		{ name, constraints, at }: ColumnDefinition,
	): Promise<boolean> {
		const editor = this.#editor;
		const column = after.columns.at(-1)!;
		const keys = constraints.filter(isKey);
		const refers = constraints.some((one) => one.kind === "references");
		if (refers || mayChange(column.type) || keys.some((one) => one.deferrable === true))
			return false;
		if (sequence === undefined && !isGenerated(column)) {
			const binder = await binderFor(editor.state, editor.block, undefined, []);
			if (!isAnywhere(bindDefault(binder, column))) return false;
		}
		const makesKey = keys.some((one) => one.kind === "primary-key");
		if (makesKey && primaryKeyOf(after) !== undefined) return false;
		let table: TableDescriptor = {
			...after,
			columns: [...after.columns.slice(0, -1), { ...column, notNull: column.notNull || makesKey }],
		};
		for (const one of keys) {
			const index = await keyIndex(
				editor,
				table,
				{ ...one, columns: [name], at },
				"public",
				this.taken,
			);
			if (one.kind === "primary-key") this.#primary = index;
			else this.#indexes.push(index);
		}
		for (const one of constraints) {
			if (one.kind !== "check") continue;
			const check = await newCheck(editor, table, one);
			table = { ...table, checks: [...table.checks, check] };
		}
		if (sequence !== undefined) {
			const ownedBy = { tableOid: table.oid, attnum: column.attnum };
			this.#sequences.push({ ...sequence, ownedBy });
			this.taken.add(sequence.name);
		}
		this.#kind ??= "ADD COLUMN";
		this.#added.push(column.attnum);
		this.#table = table;
		return true;
	}

	/** The primary key goes, and one of its columns if that is `dropped`. */
	async dropKey(dropped: number | undefined): Promise<void> {
		const { schema, name } = this.before;
		this.#kind = dropped === undefined ? "DROP CONSTRAINT" : "DROP COLUMN";
		this.#primary = await rowidIndex(this.#editor, schema, name);
		this.#dropped = dropped;
	}

	/** Throws 55006. */
	async begin(): Promise<void> {
		const { before } = this;
		const editor = this.#editor;
		refuseBuilding(before);
		refuseValidating(before, "all");
		const moved = await movedIndexes(editor, before);
		const indexes = moved.map((index) => changedForm(editor, index, before, this.#table));
		const primary = this.#primary ?? (await movedIndex(editor, before, before.primary));
		const keyed = new Set(primary.columns.map(({ attnum }) => attnum));
		const isMoved =
			this.#primary !== undefined || this.#altered.some(({ attnum }) => keyed.has(attnum));
		const change: RewriteChange = {
			id: await editor.newId(),
			kind: this.#kind!,
			added: this.#added,
			altered: this.#altered,
			checks: this.#table.checks.filter((one) => !before.checks.includes(one)),
			...(this.#dropped === undefined ? {} : { dropped: this.#dropped }),
			...(isMoved ? { places: await editor.newDataId(before.schema) } : {}),
			settings: settingsOf(editor),
		};
		for (const sequence of this.#sequences) await editor.put(sequence);
		const columns = this.#table.columns.map((column, i) =>
			change.added.includes(column.attnum) ? { ...column, dropped: true } : before.columns[i]!,
		);
		await editor.put({
			...before,
			columns,
			nextAttnum: this.#table.nextAttnum,
			rewrite: { primary, indexes: [...indexes, ...this.#indexes], change },
		});
		const { state } = editor;
		editor.block.afterCommit.push(() => build(state, before.oid, change.id));
	}
}

function settingsOf({ state }: SchemaEditor): RewriteSettings {
	const { context } = state;
	return {
		timeZone: context.timeZone,
		dateStyle: context.dateStyle,
		intervalStyle: context.intervalStyle,
		extraFloatDigits: context.extraFloatDigits,
		byteaOutput: context.byteaOutput,
		transactionStart: String(context.transactionStart),
		statementStart: String(context.statementStart),
	};
}

/** Throws 55006. */
export function refuseBuilding(table: TableDescriptor): void {
	const building = table.indexes.find(({ state }) => state !== "public");
	if (building === undefined) return;
	throw new DatabaseError(
		"55006",
		`cannot alter table "${table.name}" because index "${building.name}" is being built`,
		{ hint: "Try again when the index is there." },
	);
}
