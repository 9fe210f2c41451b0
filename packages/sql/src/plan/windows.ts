/** The WINDOW clause of a query level, and what OVER makes of it. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NamedWindow, WindowDefinition, WindowReference } from "../parser/ast.ts";

const wrong = (message: string, at: number, hint?: string): DatabaseError =>
	new DatabaseError("42P20", message, {
		...(hint === undefined ? {} : { hint }),
		position: at + 1,
	});

export class Windows {
	readonly #named = new Map<string, WindowDefinition>();

	/** In order: each may extend those before it. Throws 42P20, 42704. */
	constructor(windows: readonly NamedWindow[]) {
		for (const { name, window } of windows) {
			if (this.#named.has(name)) throw wrong(`window "${name}" is already defined`, window.at);
			this.#named.set(name, this.#extended(window));
		}
	}

	get all(): readonly WindowDefinition[] {
		return [...this.#named.values()];
	}

	/** What stands after OVER, without references. Throws 42P20, 42704. */
	resolve(over: WindowReference | WindowDefinition): WindowDefinition {
		return over.kind === "window-name" ? this.#find(over) : this.#extended(over);
	}

	#find({ name, at }: WindowReference): WindowDefinition {
		const found = this.#named.get(name);
		if (found !== undefined) return found;
		throw new DatabaseError("42704", `window "${name}" does not exist`, { position: at + 1 });
	}

	#extended(window: WindowDefinition): WindowDefinition {
		const { base, partitionBy, orderBy, frame, at } = window;
		if (base === undefined) return window;
		const extended = this.#find(base);
		if (partitionBy.length > 0) {
			throw wrong(`cannot override PARTITION BY clause of window "${base.name}"`, at);
		}
		if (orderBy.length > 0 && extended.orderBy.length > 0) {
			throw wrong(`cannot override ORDER BY clause of window "${base.name}"`, at);
		}
		if (extended.frame !== undefined) {
			const bare = orderBy.length === 0 && frame === undefined;
			throw wrong(
				`cannot copy window "${base.name}" because it has a frame clause`,
				at,
				bare ? "Omit the parentheses in this OVER clause." : undefined,
			);
		}
		return {
			...window,
			base: undefined,
			partitionBy: extended.partitionBy,
			orderBy: orderBy.length > 0 ? orderBy : extended.orderBy,
		};
	}
}
