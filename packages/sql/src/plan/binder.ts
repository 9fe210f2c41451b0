/** What binding one statement needs and collects: the catalog, parameter types, literals, and what the plan depends on. */

import { DatabaseError } from "@quorate/keys/database-error";
import type { SequenceDescriptor, TableDescriptor, ViewDescriptor } from "../catalog/descriptor.ts";
import { isOfExtension } from "../catalog/extensions.ts";
import { withSystem } from "../catalog/schema.ts";
import type { CatalogSnapshot, NamedObject } from "../catalog/snapshot.ts";
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { ChangeStatement, QualifiedName } from "../parser/ast.ts";
import type { LiftedLiteral } from "../parser/parse.ts";
import type { FunctionContext } from "../types/registry.ts";
import { AccessCollector } from "./access.ts";
import type { BindNotes } from "./bind-notes.ts";
import type { CatalogUse } from "./catalog-use.ts";
import { LiteralChoices } from "./literal-choices.ts";
import type { Scope } from "./scope.ts";
import type { StatementPlan } from "./statement-plan.ts";
import type { ViewMaking, ViewMeanings } from "./view-names.ts";

export interface BindEnvironment {
	readonly catalog: CatalogSnapshot;
	readonly virtualTable: (schema: string, name: string) => VirtualTable | undefined;
	readonly searchPath: readonly string[];
	/** Told of what is looked up; absent: nobody wants to know. */
	readonly use?: CatalogUse;
	/** For folding immutable expressions and reading constant arguments. */
	readonly context: FunctionContext;
}

export type ResolvedTable =
	| { readonly kind: "table"; readonly table: TableDescriptor }
	| { readonly kind: "virtual"; readonly table: VirtualTable }
	| { readonly kind: "view"; readonly view: ViewDescriptor }
	| { readonly kind: "sequence"; readonly sequence: SequenceDescriptor };

export class Binder {
	readonly environment: BindEnvironment;
	/** Type OIDs of $1, $2 ...; 0 while unknown. */
	readonly parameterTypes: number[];
	readonly literals: readonly LiftedLiteral[];
	/** Lifted literals whose value the plan depends on. */
	readonly pinned = new Set<number>();

	readonly choices: LiteralChoices;

	readonly access = new AccessCollector();

	/** The query is that of a cursor: WHERE CURRENT OF asks for the rows behind it. */
	isForCursor = false;

	/** Plans a statement in WITH that writes; set by whoever plans the whole statement. */
	planChange: ((statement: ChangeStatement, around: Scope) => StatementPlan) | undefined;

	constructor(
		environment: BindEnvironment,
		parameterTypes: readonly number[],
		literals: readonly LiftedLiteral[],
	) {
		this.environment = environment;
		this.parameterTypes = [...parameterTypes];
		this.literals = literals;
		this.choices = new LiteralChoices(literals);
	}

	/** What is being bound that keeps a recursive table from referring to itself. */
	place: string | undefined;

	within<T>(place: string | undefined, bind: () => T): T {
		const before = this.place;
		this.place = place;
		try {
			return bind();
		} finally {
			this.place = before;
		}
	}

	/** Text of a lifted literal; the plan then holds only for it. */
	pinnedText(index: number): string {
		this.pinned.add(index);
		return this.literals[index]!.text;
	}

	/** Of a view that is read: what names of relations were settled to mean when it was made. */
	meanings: ViewMeanings | undefined;
	/** Of a view that is being made: what they mean now. */
	made: ViewMaking | undefined;
	/** Told of what is found; absent: nobody wants to know. */
	notes: BindNotes | undefined;

	lookup(name: QualifiedName): ResolvedTable | NamedObject | undefined {
		const found = this.#find(name);
		this.environment.use?.lookedUp(name.parts.at(-1)!, found);
		return found;
	}

	#find(name: QualifiedName): ResolvedTable | NamedObject | undefined {
		const { catalog, virtualTable, searchPath } = this.environment;
		if (this.meanings !== undefined) return this.meanings.find(name, this.environment);
		const [schema, table] = splitName(name);
		if (schema !== undefined) this.access.inSchema({ name: schema, at: name.at });
		for (const candidate of schema === undefined ? withSystem(searchPath) : [schema]) {
			const virtual = virtualTable(candidate, table);
			if (virtual !== undefined) return { kind: "virtual", table: virtual };
			const object = catalog.object(candidate, table);
			if (object !== undefined) return object;
		}
		return undefined;
	}

	/** Throws 42P01, 42809. */
	resolveTable(name: QualifiedName): ResolvedTable {
		const object = this.lookup(name);
		if (object === undefined) {
			throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`, {
				position: name.at + 1,
			});
		}
		if (object.kind === "table" || object.kind === "virtual" || object.kind === "view") {
			this.made?.note(name, object);
			return object;
		}
		if (object.kind === "index") {
			throw new DatabaseError("42809", `"${object.index.name}" is an index`, {
				position: name.at + 1,
			});
		}
		if (this.made === undefined) return object;
		throw new DatabaseError("0A000", "views of sequences are not supported", {
			hint: "Use the function pg_sequence_last_value.",
			position: name.at + 1,
		});
	}

	/** A table that can be written, or a view through which one may be. Throws 42809, 42501. */
	resolveWritten(name: QualifiedName): Extract<ResolvedTable, { kind: "table" | "view" }> {
		const resolved = this.resolveTable(name);
		if (resolved.kind === "table" || resolved.kind === "view") return resolved;
		if (resolved.kind === "sequence") {
			throw new DatabaseError("42809", `cannot change sequence "${resolved.sequence.name}"`);
		}
		throw new DatabaseError(
			"42501",
			`permission denied: "${resolved.table.name}" is a system catalog`,
		);
	}

	/** Throws 42809. */
	resolveStoredTable(name: QualifiedName): TableDescriptor {
		const resolved = this.resolveWritten(name);
		if (resolved.kind === "table") return resolved.table;
		throw new DatabaseError("42809", `"${resolved.view.name}" is not a table`);
	}
}

export type WriteVerb = "insert into" | "update" | "delete from";

const triggers = { "insert into": "INSERT", update: "UPDATE", "delete from": "DELETE" } as const;
const doings = {
	"insert into": "inserting into",
	update: "updating",
	"delete from": "deleting from",
};

export const notUpdatable = (
	view: ViewDescriptor,
	verb: WriteVerb,
	detail: string,
): DatabaseError =>
	new DatabaseError("55000", `cannot ${verb} view "${view.name}"`, {
		detail,
		hint: `To enable ${doings[verb]} the view, provide an INSTEAD OF ${triggers[verb]} trigger or an unconditional ON ${triggers[verb]} DO INSTEAD rule.`,
	});

/** [schema or undefined, name]; a database name before them is accepted. */
export function splitName(name: QualifiedName): readonly [string | undefined, string] {
	const parts = name.parts;
	if (parts.length > 3) {
		throw new DatabaseError(
			"42601",
			`improper qualified name (too many dotted names): ${parts.join(".")}`,
			name.at < 0 ? {} : { position: name.at + 1 },
		);
	}
	return [parts.at(-2), parts.at(-1)!];
}

/** The name of a function. All are in pg_catalog: that of another schema is one that there is not. Throws 3F000. */
export function functionName({ environment }: Binder, name: QualifiedName): string {
	const [schema, base] = splitName(name);
	if (schema === undefined || schema === "pg_catalog" || isOfExtension(base)) return base;
	if (environment.catalog.schemas.byName(schema) !== undefined) return `${schema}.${base}`;
	throw new DatabaseError("3F000", `schema "${schema}" does not exist`, { position: name.at + 1 });
}
