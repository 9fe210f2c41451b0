/**
 * What an ALTER TABLE does with the rows of its table in its own transaction. As in PostgreSQL all of its actions have their say on the catalog
 * first, then the rows are gone over: they are written anew, checked, entered in new indexes, and looked for in other tables. Only where they
 * stay as they are, an index is made at once.
 */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { checkRows } from "./alter-column.ts";
import { isDirect } from "./create-index.ts";
import { Rewrite } from "./rewrite.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { hasMoreThan } from "./table-rows.ts";

type Work = () => Promise<void>;

export class RowWork {
	/** As it was before all actions. */
	readonly before: TableDescriptor;
	readonly #editor: SchemaEditor;
	/** Nothing else hangs on how a job ends that does it instead. */
	#alone: boolean;
	readonly #rewrites: Work[] = [];
	/** Undefined: nobody has asked; no names: for NULLs only. */
	#checked: Set<string> | "all" | undefined;
	/** Where the rows are before the first of them moves them. */
	#layout: TableDescriptor | undefined;
	readonly #fills: Work[] = [];
	readonly #references: Work[] = [];
	#hasRows: Promise<boolean> | undefined;

	constructor(editor: SchemaEditor, before: TableDescriptor, alone: boolean) {
		this.#editor = editor;
		this.before = before;
		this.#alone = alone;
	}

	/** Something is done that stands or falls with all that follows. */
	join(): void {
		this.#alone = false;
	}

	/** Whether it is done in the transaction, and not by a job. */
	isDirect(table: TableDescriptor): Promise<boolean> {
		return isDirect(this.#editor, table, this.#alone);
	}

	/** Undefined: likewise. */
	async job(table: TableDescriptor): Promise<Rewrite | undefined> {
		return this.#alone ? Rewrite.of(this.#editor, table) : undefined;
	}

	hasRows(): Promise<boolean> {
		this.#hasRows ??= hasMoreThan(this.#editor.transaction, this.before, 0);
		return this.#hasRows;
	}

	rewrite(work: Work): void {
		this.#rewrites.push(work);
	}

	/** Rows are to have no NULLs where the table has none in the end, and to satisfy what is named. */
	check(what?: string | "all"): void {
		if (this.#checked === "all") return;
		if (what === "all") {
			this.#checked = what;
			return;
		}
		this.#checked ??= new Set();
		if (what !== undefined) this.#checked.add(what);
	}

	/** `table`: as the work finds it. */
	async fill(table: TableDescriptor, work: Work): Promise<void> {
		if (this.#rewrites.length === 0) return work();
		this.#layout ??= table;
		this.#fills.push(work);
	}

	/** What refers to rows, of this table or another. */
	refer(work: Work): void {
		this.#references.push(work);
	}

	async run(): Promise<void> {
		for (const work of this.#rewrites) await work();
		await this.#check();
		for (const work of [...this.#fills, ...this.#references]) await work();
	}

	async #check(): Promise<void> {
		if (this.#checked === undefined) return;
		const table = this.#editor.current(this.before);
		const { primary, indexes } = this.#layout ?? table;
		await checkRows(this.#editor, { ...table, primary, indexes }, this.#checked);
	}
}
