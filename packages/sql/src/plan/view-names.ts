/**
 * What the names in a view mean. They are looked up once, when it is made, and kept by object ids; so a view goes on reading what it
 * read when that is renamed or moved, and no table, column or schema that comes later gets in between.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { ViewDescriptor, ViewReference, ViewType } from "../catalog/descriptor.ts";
import { liveColumns } from "../catalog/descriptor.ts";
import { systemShapes } from "../catalog/system-shape.ts";
import type { QualifiedName, Query } from "../parser/ast.ts";
import { parseQuery } from "../parser/parse.ts";
import type { StatementAccess } from "./access.ts";
import type { BindEnvironment, ResolvedTable } from "./binder.ts";

const parsed = new Map<string, Query>();
const parsedMax = 1000;

/** A query that the catalog keeps as text. */
export function storedQuery(text: string): Query {
	let query = parsed.get(text);
	if (query === undefined) {
		query = parseQuery(text);
		if (parsed.size >= parsedMax) parsed.clear();
		parsed.set(text, query);
	}
	return query;
}

const keyOf = (parts: readonly string[]): string => parts.join("\0");

export class ViewMeanings {
	readonly #byName: ReadonlyMap<string, ViewReference>;
	readonly #types: ReadonlyMap<string, number>;

	constructor({ references, types = [] }: ViewDescriptor) {
		this.#types = new Map(types.map(({ name, oid }) => [keyOf(name), oid]));
		this.#byName = new Map(references.map((one) => [keyOf(one.name), one]));
	}

	typeOf(parts: readonly string[]): number | undefined {
		return this.#types.get(keyOf(parts));
	}

	referenceOf(name: QualifiedName): ViewReference {
		const found = this.#byName.get(keyOf(name.parts));
		assert(found !== undefined, () => `a view knows what ${name.parts.join(".")} is`);
		return found;
	}

	find(name: QualifiedName, { catalog, virtualTable }: BindEnvironment): ResolvedTable {
		const { oid } = this.referenceOf(name);
		const relation = catalog.relation(oid);
		if (relation?.kind === "table") return { kind: "table", table: relation };
		if (relation?.kind === "view") return { kind: "view", view: relation };
		const shape = systemShapes.find((one) => one.oid === oid);
		const table = shape && virtualTable(shape.schema, shape.name);
		if (table === undefined) {
			// Of a temporary view, which others do not ask about what it reads.
			throw new DatabaseError("42P01", `relation with OID ${oid} does not exist`);
		}
		return { kind: "virtual", table };
	}
}

/** What a view can read. */
type ViewSource = Exclude<ResolvedTable, { kind: "sequence" }>;

const oidOf = (resolved: ViewSource): number =>
	resolved.kind === "view" ? resolved.view.oid : resolved.table.oid;

function columnsOf(resolved: ViewSource): ViewReference["columns"] {
	switch (resolved.kind) {
		case "table":
			return liveColumns(resolved.table).map(({ attnum, name }) => ({ attnum, name }));
		case "view":
			return resolved.view.columns.map(({ attnum, name }) => ({ attnum, name }));
		case "virtual":
			return resolved.table.columns.map(({ name }, i) => ({ attnum: i + 1, name }));
	}
}

/** Notes what the names in a query mean, while it is bound for the first time. */
export class ViewMaking {
	readonly #named = new Map<string, { name: readonly string[]; resolved: ViewSource }>();

	note({ parts }: QualifiedName, resolved: ViewSource): void {
		this.#named.set(keyOf(parts), { name: parts, resolved });
	}

	/** Types that somebody has made, by the parts of their names. */
	readonly types = new Map<string, ViewType>();

	/** `access`: of the bound query. */
	references(access: StatementAccess): readonly ViewReference[] {
		return [...this.#named.values()].map(({ name, resolved }) => {
			const oid = oidOf(resolved);
			const used = access.tables
				.filter(({ tableOid }) => tableOid === oid)
				.flatMap(({ columns }) => columns);
			return {
				name,
				oid,
				columns: columnsOf(resolved),
				used: [...new Set(used)].sort((a, b) => a - b),
			};
		});
	}
}
