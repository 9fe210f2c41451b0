/** Where the columns that an expression refers to will be at run time: its own row, and the rows around it. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { PlanNode } from "../execute/plan-node.ts";
import type { Argument } from "./bound.ts";
import type { LogicalQuery } from "./logical.ts";
import { Layout, type Relation } from "./relation.ts";

/** Arguments that the plan really uses, each with its place in `Env.args`. */
export class ArgumentList {
	readonly list: Argument[] = [];
	readonly #slots = new Map<string, number>();

	slot(argument: Argument): number {
		const { source, index, type, explicit } = argument;
		const key = `${source}${index}:${type.oid}:${type.modifier}:${explicit}`;
		let slot = this.#slots.get(key);
		if (slot === undefined) {
			slot = this.list.length;
			this.list.push(argument);
			this.#slots.set(key, slot);
		}
		return slot;
	}
}

/** Shared by all scopes of one statement. */
export interface PlanContext {
	readonly arguments: ArgumentList;
	planQuery(query: LogicalQuery, parent: CompileScope): PlanNode;
}

export class CompileScope {
	readonly context: PlanContext;
	readonly layout: Layout;
	readonly parent: CompileScope | undefined;

	constructor(context: PlanContext, layout: Layout, parent: CompileScope | undefined) {
		this.context = context;
		this.layout = layout;
		this.parent = parent;
	}

	static root(context: PlanContext): CompileScope {
		return new CompileScope(context, Layout.empty, undefined);
	}

	/** The same surroundings with another row. */
	with(layout: Layout): CompileScope {
		return new CompileScope(this.context, layout, this.parent);
	}

	/** A level inside: rows of this one are its outer rows. */
	inner(layout: Layout = Layout.empty): CompileScope {
		return new CompileScope(this.context, layout, this);
	}

	/** Depth 0 is the row itself. */
	locate(
		relation: Relation,
		column: number,
		at: number,
	): { readonly depth: number; readonly slot: number } {
		let depth = 0;
		for (let scope: CompileScope | undefined = this; scope !== undefined; scope = scope.parent) {
			const slot = scope.layout.slot(relation, column);
			if (slot >= 0) return { depth, slot };
			depth++;
		}
		const name = relation.columns[column]?.name ?? "?";
		throw new DatabaseError(
			"42803",
			`subquery uses ungrouped column "${relation.name}.${name}" from outer query`,
			at >= 0 ? { position: at + 1 } : {},
		);
	}

	/** Whether the relation's rows are around, not in, this scope's row. */
	hasOutside(relation: Relation): boolean {
		for (let scope = this.parent; scope !== undefined; scope = scope.parent) {
			if (scope.layout.has(relation)) return true;
		}
		return false;
	}
}
