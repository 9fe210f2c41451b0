/**
 * Objects as messages about dependencies call them (getObjectDescription): relations and types quoted, and with their schema only where that is
 * needed; schemas, columns and constraints by their bare names.
 */
import type { IndexDescriptor, RelationDescriptor } from "../catalog/descriptor.ts";
import type { Referrer } from "../catalog/snapshot.ts";
import { shortName } from "../catalog/system-names.ts";
import { typeName } from "../catalog/type-names.ts";
import type { SchemaEditor } from "./schema-editor.ts";

export const shownName = (
	{ catalog, state }: SchemaEditor,
	relation: Pick<RelationDescriptor, "oid" | "schema" | "name">,
): string =>
	typeName(catalog, state.context.searchPath, relation.oid) ??
	shortName(catalog, state.context, relation);

export const describeRelation = (editor: SchemaEditor, relation: RelationDescriptor): string =>
	`${relation.kind} ${shownName(editor, relation)}`;

export const describeIndex = (
	{ catalog, state }: SchemaEditor,
	{ schema }: Pick<RelationDescriptor, "schema">,
	{ oid, name }: IndexDescriptor,
): string => `index ${shortName(catalog, state.context, { oid, schema, name })}`;

/** Of a key. */
export const describeConstraint = (
	editor: SchemaEditor,
	table: RelationDescriptor,
	{ name }: { readonly name: string },
): string => `constraint ${name} on table ${shownName(editor, table)}`;

/** `referrer` as dependency messages call it. */
export const describeReferrer = (editor: SchemaEditor, { table, key }: Referrer): string =>
	describeConstraint(editor, table, key);
