/** A view's query as pg_get_viewdef shows it: with the names that everything has now, and every cast said. */
import { DatabaseError } from "@quorate/keys/database-error";
import { viewBinder } from "../plan/bind-from.ts";
import { BindNotes } from "../plan/bind-notes.ts";
import { bindQuery } from "../plan/bind-query.ts";
import { Binder } from "../plan/binder.ts";
import { NotShown } from "../plan/deparse-nodes.ts";
import { QueryText } from "../plan/deparse-query.ts";
import { lineMark } from "../plan/indentation.ts";
import { storedQuery } from "../plan/view-names.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { ViewDescriptor } from "./descriptor.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { systemTable } from "./system-tables.ts";

/** What has no such text, or cannot be read here, is shown as it was written. */
export function viewDefinition(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	view: ViewDescriptor,
	pretty = false,
): string {
	const written = ` ${view.query};`;
	if (view.query.includes(lineMark)) return written;
	const { searchPath } = context;
	const around = new Binder({ catalog, virtualTable: systemTable, searchPath, context }, [], []);
	const binder = viewBinder(around, view);
	binder.notes = new BindNotes();
	try {
		const query = storedQuery(view.query);
		bindQuery(binder, query, undefined);
		const text = new QueryText(catalog, context, binder.notes, {
			pretty,
			searchPath: view.searchPath,
		});
		const names = view.columns.map(({ name }) => name);
		return `${text.of(query, names)};`;
	} catch (error) {
		if (error instanceof NotShown || error instanceof DatabaseError) return written;
		throw error;
	}
}
