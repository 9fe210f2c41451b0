/** WITH CHECK OPTION of a view: what is written through it has to stay in its sight. */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { Compiled } from "../plan/compile.ts";
import type { Env, ExecRow } from "./env.ts";
import { viewViolation } from "./violation.ts";

export class ViewCheck {
	readonly #table: TableDescriptor;
	readonly #view: string;
	/** Over a row with the table's columns in it. */
	readonly #condition: Compiled;

	constructor(table: TableDescriptor, view: string, condition: Compiled) {
		this.#table = table;
		this.#view = view;
		this.#condition = condition;
	}

	/** `base`: where the table's columns begin in the rows. Throws 44000. */
	async check(rows: readonly ExecRow[], base: number, env: Env): Promise<void> {
		for (const row of rows) {
			if ((await this.#condition.evaluate(row, env)) === true) continue;
			throw viewViolation(this.#table, this.#view, row.slice(base), env.context);
		}
	}
}
