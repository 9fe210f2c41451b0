/** Objects as messages about dependencies call them (getObjectDescription): with their schema only where it is needed. */
import type { RelationDescriptor } from "../catalog/descriptor.ts";
import type { Referrer } from "../catalog/snapshot.ts";
import { shortName } from "../catalog/system-names.ts";
import { typeName } from "../catalog/type-names.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { SchemaEditor } from "./schema-editor.ts";

export const shownName = (
	{ catalog, state }: SchemaEditor,
	relation: Pick<RelationDescriptor, "oid" | "schema" | "name">,
): string =>
	typeName(catalog, state.context.searchPath, relation.oid) ??
	shortName(catalog, state.context, relation);

export const describeRelation = (editor: SchemaEditor, relation: RelationDescriptor): string =>
	`${relation.kind} ${shownName(editor, relation)}`;

/** `referrer` as dependency messages call it. */
export const describeReferrer = (editor: SchemaEditor, { table, key }: Referrer): string =>
	`constraint ${quoteIdentifier(key.name)} on table ${shownName(editor, table)}`;
