/**
 * Changes of the catalog within a transaction. Every row that a change relies on is read with a lock, so that of two
 * changes to one object, or two claims of one name, the second sees the first; the commit raises the schema version (S1).
 */
import { assert } from "@quorate/keys/assert";
import { requireActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { LockRequest, Transaction } from "@quorate/txn/types";
import {
	hasDatabaseRight,
	hasTypeRight,
	isOwner,
	kindOf,
	mayCreateIn,
	mayUseSchema,
	ownerOf,
} from "../auth/privileges.ts";
import { aclOfNew, type RightsDescriptor } from "../catalog/acl.ts";
import {
	type DatabaseDescriptor,
	databaseOf,
	type InDatabase,
	inDatabase,
} from "../catalog/database.ts";
import {
	encodeDescriptor,
	needsComposites,
	needsDeferrable,
	needsDeferrableBuild,
	needsIndexForms,
	needsLaterTypes,
	needsTypes,
	needsXid8,
	type RelationDescriptor,
	storedTexts,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds, encodeDropped, tableWith } from "../catalog/dropped-index.ts";
import {
	databaseNameKey,
	descriptorKey,
	droppedIndexKey,
	nameKey,
	roleKey,
	roleNameKey,
	schemaNameKey,
	typeNameKey,
} from "../catalog/keys.ts";
import {
	bootstrapRoleOid,
	encodeRole,
	hasElsewhere,
	hasInitials,
	type RoleDescriptor,
} from "../catalog/role.ts";
import {
	bornPublic,
	isSystemSchema,
	type SchemaDescriptor,
	schemaOwner,
	storedSchema,
} from "../catalog/schema.ts";
import { referencesIn, referenceText, withReferences } from "../catalog/sequence-references.ts";
import { type AnyDescriptor, type CatalogSnapshot, namedIndexes } from "../catalog/snapshot.ts";
import { findRelation, relationByOid } from "../catalog/system-names.ts";
import {
	isTemporary,
	isTemporaryId,
	isTemporarySchema,
	temporaryAlias,
	temporaryId,
	temporarySchemaOf,
} from "../catalog/temporary.ts";
import { typeDescriptor } from "../catalog/type-names.ts";
import { fieldsIn, madeTypesOf } from "../catalog/types-of.ts";
import { SchemaMovedError } from "../execute/statement-store.ts";
import type { QualifiedName } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { rowTypeKept, type TypeLookup, typesIn } from "../plan/type-name.ts";
import type { NodeServices } from "../session/node-services.ts";
import { dropBlindly } from "../session/reset.ts";
import type { SessionState } from "../session/session-state.ts";
import type { TransactionBlock } from "../session/transaction-block.ts";
import type { SqlType } from "../types/datum.ts";
import { isRowType, namedOid } from "../types/made-oids.ts";
import type { DeparseOptions } from "./deparse.ts";
import { withoutStale } from "./validation.ts";

const nameBytesMax = 63;

export class SchemaEditor {
	readonly state: SessionState;
	readonly block: TransactionBlock;
	readonly transaction: Transaction;
	/** As the statement found it; `catalog` has the statement's own changes in it. */
	readonly base: CatalogSnapshot;

	constructor(
		state: SessionState,
		block: TransactionBlock,
		transaction: Transaction,
		base: CatalogSnapshot,
	) {
		this.state = state;
		this.block = block;
		this.transaction = transaction;
		this.base = base;
	}

	get catalog(): CatalogSnapshot {
		return this.state.snapshot ?? this.base;
	}

	/** What names of types mean. */
	readonly types: TypeLookup = (parts, at) =>
		typesIn({
			catalog: this.catalog,
			searchPath: this.state.context.searchPath,
			context: this.state.context,
		})(parts, at);

	/** Of types that somebody has made. Throws 42501. */
	requireUsage({ oid, domain }: SqlType): void {
		const named = domain ?? namedOid(oid);
		const type = typeDescriptor(this.catalog, named);
		if (type === undefined) return;
		if (hasTypeRight(this.catalog, this.state.identity.currentOid, type)) return;
		throw new DatabaseError("42501", `permission denied for type ${type.name}`);
	}

	/** How expressions become the texts that are kept. */
	readonly asWritten: DeparseOptions = {
		column: (name) => name,
		type: (name) => {
			const found = this.types(name.name, name.at);
			const oid = found?.domain ?? found?.oid;
			if (oid !== undefined && isRowType(oid)) throw rowTypeKept("stored expression", name.at);
			return oid;
		},
	};

	/** Of what is made. */
	get #here(): InDatabase {
		return inDatabase(this.state.services.databaseOid);
	}

	get lock(): LockRequest | undefined {
		const pessimistic = this.block.characteristics.mode === "pessimistic";
		return pessimistic ? { strength: "update", wait: "block" } : undefined;
	}

	newId(): Promise<number> {
		return this.state.services.objectIds.take();
	}

	/** Under which the rows of an index, or the value of a sequence, are stored: those of temporary objects are the session's own. */
	async newDataId(schema: string): Promise<number> {
		const id = await this.newId();
		return isTemporarySchema(schema) ? temporaryId(id) : id;
	}

	async read(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
		const { lock, transaction } = this;
		const values = await (lock === undefined ? transaction.get(keys) : transaction.get(keys, lock));
		if (transaction.schemaVersion !== this.base.version) throw new SchemaMovedError();
		return values;
	}

	/**
	 * The schema in which a name is created, and the name. `name.at` below 0: errors have no place. `may`: the right to it is
	 * looked at later, as what is made is stored. Throws 3F000, 42501.
	 */
	target(name: QualifiedName, may: "now" | "later" = "now"): readonly [string, string] {
		const [schema, base] = splitName(name);
		const place = name.at < 0 ? {} : { position: name.at + 1 };
		if (Buffer.byteLength(base, "utf8") > nameBytesMax) {
			throw new DatabaseError("42622", `identifier "${base}" is too long`, {
				hint: `At most ${nameBytesMax} bytes are allowed.`,
				...place,
			});
		}
		const { catalog, state } = this;
		const { currentOid } = state.identity;
		const given = schema ?? state.context.creationSchema;
		if (given === undefined) {
			throw new DatabaseError("3F000", "no schema has been selected to create in", place);
		}
		const chosen = catalog.schemas.nameOf(given);
		if (catalog.schemas.byName(chosen) === undefined) {
			throw new DatabaseError("3F000", `schema "${chosen}" does not exist`, place);
		}
		if (isSystemSchema(chosen)) {
			throw new DatabaseError("42501", `permission denied to create "${chosen}.${base}"`, {
				detail: "System catalog modifications are currently disallowed.",
			});
		}
		const isAllowed = mayUseSchema(catalog, currentOid, chosen);
		if (!isAllowed || (may === "now" && !mayCreateIn(catalog, currentOid, chosen))) {
			throw deniedSchema(chosen, place);
		}
		return [chosen, base];
	}

	/** The same of what may be temporary: because it is said to be, or by its schema. Throws 42P16, too. */
	async targetOf(
		name: QualifiedName,
		temporary: boolean,
		may: "now" | "later" = "now",
	): Promise<readonly [string, string]> {
		const [schema, base] = splitName(name);
		const { catalog, state } = this;
		const implied = temporary ? temporaryAlias : state.context.creationSchema;
		const chosen = schema ?? implied;
		const isOwn =
			chosen !== undefined &&
			(chosen === temporaryAlias || catalog.schemas.temporary?.name === chosen);
		if (!isOwn && temporary) {
			throw new DatabaseError(
				"42P16",
				"cannot create temporary relation in non-temporary schema",
				name.at < 0 ? {} : { position: name.at + 1 },
			);
		}
		if (isOwn) await this.#openTemporary(name.at < 0 ? {} : { position: name.at + 1 });
		return this.target(isOwn ? { parts: [temporaryAlias, base], at: name.at } : name, may);
	}

	/** The session's own schema, made where there is none. Throws 42501. */
	async #openTemporary(place: { position?: number }): Promise<void> {
		const { catalog, state } = this;
		if (!hasDatabaseRight(catalog, state.identity.currentOid, "TEMPORARY")) {
			const { database } = state.services;
			throw new DatabaseError(
				"42501",
				`permission denied to create temporary tables in database "${database}"`,
				place,
			);
		}
		if (catalog.schemas.temporary !== undefined) return;
		const name = temporarySchemaOf(state.context.backendPid);
		const oid = await this.newId();
		this.#noted(oid, { kind: "schema", oid, name });
	}

	/** Whether a name is taken, in the catalog or by a change that is not in it yet. */
	isTaken(schema: string, name: string): boolean {
		const type = this.catalog.type(schema, name);
		return this.catalog.object(schema, name) !== undefined || type?.of === "composite";
	}

	/** A name that is free, made from the parts as PostgreSQL makes it. */
	freeName(schema: string, parts: readonly string[], taken: ReadonlySet<string>): string {
		for (let n = 0; ; n++) {
			const suffix = n === 0 ? "" : String(n);
			const name = shortened(parts, suffix);
			if (!taken.has(name) && !this.isTaken(schema, name)) return name;
		}
	}

	/**
	 * Writes a new or changed descriptor, claims its new names and frees its old ones. `by`: what entitles to it, "right"
	 * if the caller has seen to that. Throws 42P07, 42501.
	 */
	async put(given: RelationDescriptor, by: "owner" | "right" = "owner"): Promise<void> {
		if (isTemporary(given)) return this.#putTemporary(given, by);
		refuseTemporaryUse(this.catalog, given);
		requireFormat(this.state.services, given);
		const isNew = this.catalog.relation(given.oid) === undefined;
		const wanted = given.kind === "table" ? withoutStale(given) : given;
		const descriptor = isNew ? await this.#owned({ ...wanted, ...this.#here }) : wanted;
		const before = this.catalog.relation(descriptor.oid);
		if (before !== undefined && by === "owner") this.requireOwner(before);
		const old = before === undefined ? new Map<Key, string>() : nameKeysOf(before);
		const now = nameKeysOf(descriptor);
		const claimed = [...now.keys()].filter((key) => !old.has(key));
		const rivals = claimed.length === 0 ? [] : rivalKeysOf(descriptor);
		const values = await this.read([descriptorKey(descriptor.oid), ...claimed, ...rivals]);
		const taken = claimed.find((_, i) => values[i + 1] !== undefined);
		if (taken !== undefined) {
			throw taken === typeNameKey(descriptor.schema, descriptor.name, descriptor.database)
				? typeExists(descriptor.name)
				: alreadyExists(now.get(taken)!);
		}
		if (await this.#isRival(values.slice(1 + claimed.length))) throw rivalExists(descriptor);
		this.transaction.markSchemaChange();
		this.transaction.put(descriptorKey(descriptor.oid), encodeDescriptor(descriptor));
		for (const key of claimed) this.transaction.put(key, oidBytes(descriptor.oid));
		for (const key of old.keys()) if (!now.has(key)) this.transaction.delete(key);
		this.#noted(descriptor.oid, descriptor);
	}

	/** With the rights that its owner's objects begin with. */
	#withDefaults(descriptor: RelationDescriptor, owner: number): RelationDescriptor {
		const { roles, schemas } = this.catalog;
		const { defaults } = roles.byOid(owner) ?? {};
		if (defaults === undefined || descriptor.acl !== undefined) return descriptor;
		const schema = schemas.byName(descriptor.schema)?.oid;
		const acl = aclOfNew(defaults, kindOf(descriptor), owner, schema);
		return acl === undefined ? descriptor : { ...descriptor, acl };
	}

	/** Nobody else can claim its names. Throws 42P07, 42710, 42501. */
	#putTemporary(given: RelationDescriptor, by: "owner" | "right"): void {
		const { catalog } = this;
		assert(
			dataIdsOf(given).every(isTemporaryId),
			() => `what is stored of ${given.name} stays in the session`,
		);
		const before = catalog.relation(given.oid);
		if (before !== undefined && by === "owner") this.requireOwner(before);
		const old = before === undefined ? [] : namesOf(before);
		if (!old.includes(given.name)) this.#refuseRival(given);
		const taken = namesOf(given).find(
			(name) => !old.includes(name) && catalog.object(given.schema, name) !== undefined,
		);
		if (taken !== undefined && isRelationName(given)) throw alreadyExists(taken);
		const owner = before === undefined ? this.#ownerOfNew(given) : ownerOf(given);
		const wanted = before === undefined ? this.#withDefaults(given, owner) : given;
		const fields = fieldsIn(wanted, (oid) => catalog.relation(oid));
		const made = fields === undefined ? wanted : { ...wanted, fields };
		this.#noted(given.oid, owner === bootstrapRoleOid ? made : { ...made, owner });
	}

	/** A temporary type, table or view of the name: each is a type. Throws 42710. */
	#refuseRival(given: RelationDescriptor): void {
		if (given.kind === "sequence") return;
		const { catalog } = this;
		const kind = catalog.object(given.schema, given.name)?.kind;
		const isOfRelation = given.kind === "type" && (kind === "table" || kind === "view");
		if (!isOfRelation && catalog.type(given.schema, given.name) === undefined) return;
		throw given.kind === "type" ? typeExists(given.name) : rivalExists(given);
	}

	/** A column's sequence belongs to whom the table does. */
	#ownerOfNew(descriptor: RelationDescriptor): number {
		const table =
			descriptor.kind === "sequence" && descriptor.ownedBy !== undefined
				? this.catalog.relation(descriptor.ownedBy.tableOid)
				: undefined;
		return table === undefined ? this.state.identity.currentOid : ownerOf(table);
	}

	/** Tables and views are types, too: a type cannot be called as one is. */
	async #isRival(values: readonly (Uint8Array | undefined)[]): Promise<boolean> {
		const oids = values.flatMap((value) =>
			value === undefined ? [] : [Number(Buffer.from(value).toString("utf8"))],
		);
		const kinds = oids.map((oid) => this.catalog.relation(oid)?.kind);
		return kinds.some((kind) => kind === "table" || kind === "view" || kind === "type");
	}

	/** Whoever makes something owns it, if it may make something there. */
	async #owned(descriptor: RelationDescriptor): Promise<RelationDescriptor> {
		this.requireCreate(descriptor.schema);
		const owner = this.#ownerOfNew(descriptor);
		const made = this.#withDefaults(descriptor, owner);
		if (owner === bootstrapRoleOid) return made;
		await this.relyOnRoles([owner]);
		return { ...made, owner };
	}

	/** Whoever asks has seen to the right. */
	async remove(descriptor: RelationDescriptor): Promise<void> {
		if (isTemporary(descriptor)) {
			this.#noted(descriptor.oid, undefined);
			return;
		}
		const keys = [descriptorKey(descriptor.oid), ...nameKeysOf(descriptor).keys()];
		await this.read(keys);
		this.transaction.markSchemaChange();
		for (const key of keys) this.transaction.delete(key);
		this.#noted(descriptor.oid, undefined);
	}

	/** Throws 42501. */
	requireCreate(schema: string, role = this.state.identity.currentOid): void {
		if (!mayCreateIn(this.catalog, role, schema)) throw deniedSchema(schema);
	}

	/** Throws 42501. */
	requireSchemaOwner(schema: SchemaDescriptor): void {
		const { currentOid } = this.state.identity;
		if (this.catalog.roles.hasRightsOf(currentOid, schemaOwner(schema))) return;
		throw new DatabaseError("42501", `must be owner of schema ${schema.name}`);
	}

	/** Writes a new or changed schema. Throws 42P06. */
	async putSchema(given: SchemaDescriptor): Promise<void> {
		refuseTemporarySchema(given);
		const before = this.catalog.schemas.byOid(given.oid);
		const schema = { ...given, ...this.#here };
		const isNamed = before?.name === schema.name;
		const keys = [
			roleKey(schema.oid),
			...(isNamed ? [] : [schemaNameKey(schema.name, schema.database)]),
		];
		const values = await this.read(keys);
		if (!isNamed && (values[1] !== undefined || this.catalog.schemas.byName(schema.name))) {
			throw schemaExists(schema.name);
		}
		this.transaction.markSchemaChange();
		this.transaction.put(keys[0]!, encodeRole(storedSchema(schema)));
		if (!isNamed) {
			if (before !== undefined)
				this.transaction.delete(schemaNameKey(before.name, before.database));
			this.transaction.put(keys[1]!, oidBytes(schema.oid));
		}
		this.#noted(schema.oid, schema);
	}

	/** That of a database which this transaction makes. */
	async putBornSchema(schema: SchemaDescriptor): Promise<void> {
		const keys = [roleKey(schema.oid), schemaNameKey(schema.name, schema.database)] as const;
		await this.read(keys);
		this.transaction.put(keys[0], encodeRole(schema));
		this.transaction.put(keys[1], oidBytes(schema.oid));
	}

	/** It is empty. */
	async removeSchema(schema: SchemaDescriptor): Promise<void> {
		refuseTemporarySchema(schema);
		const keys = [roleKey(schema.oid), schemaNameKey(schema.name, schema.database)];
		await this.read(keys);
		this.transaction.markSchemaChange();
		this.transaction.delete(keys[1]!);
		if (schema.oid === bornPublic.oid) {
			const gone: SchemaDescriptor = { ...bornPublic, dropped: true };
			this.transaction.put(keys[0]!, encodeRole(gone));
			this.#noted(schema.oid, gone);
			return;
		}
		this.transaction.delete(keys[0]!);
		this.#noted(schema.oid, undefined);
	}

	/** Throws 42501. */
	requireOwner(relation: RelationDescriptor): void {
		if (isOwner(this.catalog, this.state.identity.currentOid, relation)) return;
		throw new DatabaseError("42501", `must be owner of ${relation.kind} ${relation.name}`);
	}

	/** Roles that a change names: none of them may be dropped meanwhile. */
	async relyOnRoles(oids: readonly number[]): Promise<void> {
		await this.read(oids.map(roleKey));
	}

	/** Writes a new or changed role. Throws 42710. */
	async putRole(role: RoleDescriptor): Promise<void> {
		requireFormat(this.state.services, role);
		const before = this.catalog.roles.byOid(role.oid);
		const isNamed = before?.name === role.name;
		const keys = [roleKey(role.oid), ...(isNamed ? [] : [roleNameKey(role.name)])];
		const values = await this.read(keys);
		const { roles } = this.catalog;
		if (!isNamed && (values[1] !== undefined || roles.byName(role.name) !== undefined)) {
			throw new DatabaseError("42710", `role "${role.name}" already exists`);
		}
		this.transaction.markSchemaChange();
		this.transaction.put(keys[0]!, encodeRole(role));
		if (!isNamed) {
			if (before !== undefined) this.transaction.delete(roleNameKey(before.name));
			this.transaction.put(keys[1]!, oidBytes(role.oid));
		}
		this.#noted(role.oid, role);
	}

	async removeRole(role: RoleDescriptor): Promise<void> {
		await this.read([roleKey(role.oid), roleNameKey(role.name)]);
		this.transaction.markSchemaChange();
		this.transaction.delete(roleKey(role.oid));
		this.transaction.delete(roleNameKey(role.name));
		this.#noted(role.oid, undefined);
	}

	/** S4: the rows stay until no one can read as of a time before the drop. */
	dropIndexes(indexIds: readonly number[]): void {
		for (const indexId of indexIds) {
			// Those are gone with the transaction.
			if (isTemporaryId(indexId)) continue;
			const table = tableWith(this.catalog, indexId) ?? tableWith(this.base, indexId);
			this.transaction.put(droppedIndexKey(indexId), encodeDropped(table));
		}
	}

	/** A new database, or one with another name. Throws 42P04. */
	async putDatabase(database: DatabaseDescriptor): Promise<void> {
		requireFormat(this.state.services, database);
		const before = this.catalog.databaseName(database.oid);
		const { oid, name } = database;
		const isNamed = before === name;
		const keys = [roleKey(oid), ...(isNamed ? [] : [databaseNameKey(name)])];
		const values = await this.read(keys);
		if (!isNamed && (values[1] !== undefined || this.catalog.databaseNamed(name) !== undefined)) {
			throw new DatabaseError("42P04", `database "${name}" already exists`);
		}
		this.transaction.markSchemaChange();
		this.transaction.put(keys[0]!, encodeRole(database));
		if (!isNamed) {
			if (before !== undefined) this.transaction.delete(databaseNameKey(before));
			this.transaction.put(keys[1]!, oidBytes(oid));
		}
		this.#noted(oid, database);
	}

	/** With all that is in it. */
	async removeDatabase({ oid, name }: DatabaseDescriptor): Promise<void> {
		const keys = [roleKey(oid), databaseNameKey(name)];
		await this.read(keys);
		this.transaction.markSchemaChange();
		for (const key of keys) this.transaction.delete(key);
		const { everywhere } = this.base;
		const relations = everywhere.relations().filter((one) => databaseOf(one) === oid);
		if (relations.length > 0) await this.read(relations.map((one) => descriptorKey(one.oid)));
		for (const relation of relations) dropBlindly(this.transaction, relation);
		for (const schema of everywhere.schemas.changed()) {
			if (databaseOf(schema) !== oid) continue;
			this.transaction.delete(roleKey(schema.oid));
			this.transaction.delete(schemaNameKey(schema.name, schema.database));
		}
		this.#noted(oid, undefined);
	}

	/** Of a database. */
	async putRights(rights: RightsDescriptor | DatabaseDescriptor): Promise<void> {
		requireFormat(this.state.services, rights);
		await this.read([roleKey(rights.oid)]);
		this.transaction.markSchemaChange();
		this.transaction.put(roleKey(rights.oid), encodeRole(rights));
		this.#noted(rights.oid, rights);
	}

	#noted(oid: number, descriptor: AnyDescriptor | undefined): void {
		this.block.noteChange(oid, descriptor);
		this.state.snapshot = this.block.overlay(this.base);
	}

	/** A table as the statement has left it so far. */
	current(table: TableDescriptor): TableDescriptor {
		const found = this.catalog.relation(table.oid);
		return found?.kind === "table" ? found : table;
	}

	/** Whether nobody else can have rows in the table: this transaction, or the session, has made it. */
	isOwn(table: TableDescriptor): boolean {
		if (isTemporary(table)) return true;
		const { changes } = this.block;
		return changes.has(table.oid) && this.originalOf(table.oid) === undefined;
	}

	/** The descriptor outside of this transaction. */
	originalOf(oid: number): RelationDescriptor | undefined {
		return this.state.committedRelation(oid);
	}
}

/** All nodes have to read it. Throws 55000. */
export function requireFormat(
	{ placement }: NodeServices,
	row: RelationDescriptor | RightsDescriptor | RoleDescriptor | DatabaseDescriptor,
): void {
	const { values } = placement.settings();
	if (row.kind === "database") requireActive(values, "databases", "CREATE DATABASE");
	if (row.kind === "role" || row.kind === "rights") {
		const what = "defaults" in row ? "ALTER DEFAULT PRIVILEGES" : "What sessions begin with";
		if (hasInitials(row)) requireActive(values, "initials", what);
		if (hasElsewhere(row)) requireActive(values, "roleDatabases", what);
	}
	if ("configuration" in row && row.configuration !== undefined) {
		requireActive(values, "configuration", "CONFIGURE");
	}
	if (row.kind === "table" && needsDeferrable(row)) {
		requireActive(values, "deferrable", "DEFERRABLE of a unique constraint");
	}
	if (row.kind === "table" && needsDeferrableBuild(row)) {
		requireActive(values, "deferrableBuild", "DEFERRABLE of a unique constraint of a large table");
	}
	if (row.kind === "table" && needsIndexForms(row)) {
		requireActive(
			values,
			"indexForms",
			"An index that is partial, on an expression, or orders NULLs so",
		);
	}
	if (isRelation(row) && needsLaterTypes(row)) {
		requireActive(values, "laterTypes", "A column of type jsonpath or time with time zone");
	}
	if (row.kind === "table" && row.unpadded) {
		requireActive(values, "unpadded", "A table that stores char(n) without its blanks");
	}
	if (isRelation(row) && needsXid8(row)) {
		requireActive(values, "xid8", "A column of type xid8");
	}
	if (isRelation(row) && needsComposites(row)) {
		requireActive(values, "composites", "A composite type, or an array of a domain,");
	}
	if (isRelation(row) && needsTypes(row)) {
		requireActive(values, "types", "CREATE TYPE");
	}
}

const isRelation = (row: AnyDescriptor): row is RelationDescriptor =>
	row.kind !== "rights" && row.kind !== "role" && row.kind !== "schema" && row.kind !== "database";

const dataIdsOf = (descriptor: RelationDescriptor): readonly number[] => {
	if (descriptor.kind === "table") return allIndexIds(descriptor);
	return descriptor.kind === "sequence" ? [descriptor.valueId] : [];
};

/** Throws 42501. */
function refuseTemporarySchema({ name }: SchemaDescriptor): void {
	if (isTemporarySchema(name)) throw deniedSchema(name);
}

/** What is not temporary would outlive it. Keys and views are looked at as they are made. Throws 0A000. */
function refuseTemporaryUse(catalog: CatalogSnapshot, relation: RelationDescriptor): void {
	const hasType = madeTypesOf(relation).some((oid) => {
		const type = catalog.relation(oid);
		return type !== undefined && isTemporary(type);
	});
	if (hasType) {
		const what = `${relation.kind} "${relation.name}"`;
		throw new DatabaseError("0A000", `${what} cannot use a temporary type`, {
			hint: `Create the type in an ordinary schema, or the ${relation.kind} as a temporary one.`,
		});
	}
	if (relation.kind !== "table") return;
	const names = storedTexts(relation).flatMap(referencesIn);
	if (!names.some(([schema = ""]) => isTemporarySchema(schema))) return;
	throw new DatabaseError("0A000", `table "${relation.name}" cannot use a temporary sequence`, {
		hint: "Create the sequence in an ordinary schema, or the table as a temporary one.",
	});
}

export const namesOf = (descriptor: RelationDescriptor): readonly string[] =>
	descriptor.kind === "table"
		? [descriptor.name, ...namedIndexes(descriptor).map((index) => index.name)]
		: [descriptor.name];

/** By key: the name. */
export function nameKeysOf(descriptor: RelationDescriptor): ReadonlyMap<Key, string> {
	const { schema, database } = descriptor;
	const keys = new Map<Key, string>();
	for (const name of namesOf(descriptor)) {
		if (isRelationName(descriptor)) keys.set(nameKey(schema, name, database), name);
		if (descriptor.kind === "type") keys.set(typeNameKey(schema, name, database), name);
	}
	return keys;
}

/** A composite type is a relation as well. */
const isRelationName = (descriptor: RelationDescriptor): boolean =>
	descriptor.kind !== "type" || descriptor.of === "composite";

/** The name in the other of the two name spaces. */
function rivalKeysOf(descriptor: RelationDescriptor): readonly Key[] {
	const { kind, schema, name, database } = descriptor;
	if (kind === "sequence" || (kind === "type" && descriptor.of === "composite")) return [];
	const keyOf = kind === "type" ? nameKey : typeNameKey;
	return [keyOf(schema, name, database)];
}

const rivalExists = ({ kind, name }: RelationDescriptor): DatabaseError =>
	typeExists(
		name,
		kind === "type"
			? {}
			: {
					hint: "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
				},
	);

export const typeExists = (name: string, fields: { hint?: string } = {}): DatabaseError =>
	new DatabaseError("42710", `type "${name}" already exists`, fields);

export const schemaExists = (name: string): DatabaseError =>
	new DatabaseError("42P06", `schema "${name}" already exists`);

export const deniedSchema = (name: string, place: { position?: number } = {}): DatabaseError =>
	new DatabaseError("42501", `permission denied for schema ${name}`, place);

const oidBytes = (oid: number): Uint8Array => Buffer.from(String(oid), "utf8");

export const alreadyExists = (name: string): DatabaseError =>
	new DatabaseError("42P07", `relation "${name}" already exists`);

/** An expression for the catalog: what it names by search_path it names by schema, too. */
export const withSchemas = ({ catalog, state }: SchemaEditor, text: string): string =>
	withReferences(text, (parts) => {
		const oid = findRelation(catalog, state.context, parts.at(-2), parts.at(-1) ?? "");
		const found = oid === undefined ? undefined : relationByOid(catalog, oid);
		return found && referenceText(found);
	});

/** Parts joined by underscores; the first ones are cut so that it fits. */
export function shortened(parts: readonly string[], suffix: string): string {
	const cut = [...parts];
	const whole = (): string => cut.join("_") + suffix;
	while (Buffer.byteLength(whole(), "utf8") > nameBytesMax) {
		const longest = cut.reduce((best, part, i) => (part.length >= cut[best]!.length ? i : best), 0);
		cut[longest] = cut[longest]!.slice(0, -1);
	}
	return whole();
}
