/**
 * What a statement does to tables, collected while it is bound: whoever runs the plan checks that the role may
 * (`auth/authorize.ts`). A plan is shared by all roles; which columns it reads is known only when all of it is bound.
 */
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { Relation } from "./relation.ts";

export type TableAction = "SELECT" | "INSERT" | "UPDATE" | "DELETE";

export interface TableAccess {
	readonly tableOid: number;
	readonly action: TableAction;
	/** attnums of which each must be allowed where the table as a whole is not; none: any of them will do. DELETE has none. */
	readonly columns: readonly number[];
}

export interface StatementAccess {
	readonly tables: readonly TableAccess[];
	readonly virtual: readonly VirtualTable[];
	/** Those that were named; what was found by search_path is in one that the role may use. */
	readonly schemas: readonly NamedSchema[];
	/** What its views do, in the name of their owners. */
	readonly views: readonly { readonly owner: number; readonly access: StatementAccess }[];
}

export interface NamedSchema {
	readonly name: string;
	/** Of the name that it stands in. */
	readonly at: number;
}

export class AccessCollector {
	readonly #reads: {
		readonly table: { readonly oid: number };
		readonly relation: Relation;
		readonly forced: boolean;
		readonly asked: Relation;
	}[] = [];
	readonly #writes: TableAccess[] = [];
	readonly #virtual: VirtualTable[] = [];
	readonly #schemas: NamedSchema[] = [];
	readonly #views: { readonly owner: number; readonly access: AccessCollector }[] = [];

	/** A table or view in FROM, even if none of its columns is read. */
	reads(table: { readonly oid: number }, relation: Relation): void {
		this.#reads.push({ table, relation, forced: true, asked: relation });
	}

	/** The target of a statement, or what it writes through a view. */
	writes(tableOid: number, action: TableAction, columns: readonly number[]): void {
		this.#writes.push({ tableOid, action, columns });
	}

	/** The columns of such a target may be read, too; what a view reads counts if any column of the statement's target does, `asked`. */
	mayRead(table: { readonly oid: number }, relation: Relation, asked: Relation): void {
		this.#reads.push({ table, relation, forced: false, asked });
	}

	/** FOR UPDATE and its kin: as in PostgreSQL, the right to change at least one column. */
	locks(tableOid: number): void {
		this.#writes.push({ tableOid, action: "UPDATE", columns: [] });
	}

	inSchema(schema: NamedSchema): void {
		this.#schemas.push(schema);
	}

	/** What a view does. */
	through(owner: number, access: AccessCollector): void {
		this.#views.push({ owner, access });
	}

	virtual(table: VirtualTable): void {
		this.#virtual.push(table);
	}

	/** Once all is bound, and before the planner reads columns of its own accord. */
	collected(): StatementAccess {
		const tables: TableAccess[] = [];
		for (const { table, relation, forced, asked } of this.#reads) {
			// tableoid is a column that the relation does not have: any other stands for it.
			const columns = [...relation.asked].flatMap((slot) => relation.columns[slot]?.attnum ?? []);
			if (forced || asked.asked.size > 0) {
				tables.push({ tableOid: table.oid, action: "SELECT", columns });
			}
		}
		return {
			tables: [...tables, ...this.#writes],
			virtual: this.#virtual,
			schemas: this.#schemas,
			views: this.#views.map(({ owner, access }) => ({ owner, access: access.collected() })),
		};
	}
}
