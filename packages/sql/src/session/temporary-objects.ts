/**
 * The temporary tables, views, sequences and types of one session. Nobody else can name them, so nobody else has to know of them: they are laid
 * over the catalog of the cluster as changes of the schema are in a transaction, and their rows stay here (`temporary-store.ts`).
 *
 * 1. Nothing of it is written to the cluster: the schema's version does not move, and when the node dies it is gone.
 * 2. What belongs to the cluster never refers to it (`SchemaEditor.put`). The other way round it may: what depends on something that
 *    others have dropped is gone with that, and so is a table with values of a composite type whose attributes others have changed.
 * 3. Plans that were made with it are this session's alone (`plans`), and none outlives a change of it (`generation`).
 */

import type { RelationDescriptor } from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { indexSpan } from "../catalog/keys.ts";
import type { SchemaDescriptor } from "../catalog/schema.ts";
import type { AnyDescriptor, CatalogChanges, CatalogSnapshot } from "../catalog/snapshot.ts";
import { isTemporary, isTemporarySchema } from "../catalog/temporary.ts";
import { fieldsIn, madeTypesOf } from "../catalog/types-of.ts";
import { PlanCache } from "./plan-cache.ts";
import { TemporarySequences } from "./temporary-sequences.ts";
import { type TemporaryLimits, TemporaryStore } from "./temporary-store.ts";

type Own = RelationDescriptor | SchemaDescriptor;

const nothing: ReadonlyMap<number, Own> = new Map();

export class TemporaryObjects {
	readonly store: TemporaryStore;
	readonly sequences: TemporarySequences;
	/** Committed ones, by object id. */
	#objects = nothing;
	#generations = 0;
	#plans = new PlanCache();
	/** The catalog with them, kept until either changes. */
	#over:
		| {
				readonly base: CatalogSnapshot;
				readonly objects: ReadonlyMap<number, Own>;
				readonly catalog: CatalogSnapshot;
		  }
		| undefined;

	constructor(limits: TemporaryLimits) {
		this.store = new TemporaryStore(limits);
		this.sequences = new TemporarySequences(this.store);
	}

	get isUsed(): boolean {
		return this.#objects.size > 0;
	}

	/** Never the same for two sets of objects; 0: there are none. */
	get generation(): number {
		return this.isUsed ? this.#generations : 0;
	}

	/** Undefined: those of the node are as good. */
	get plans(): PlanCache | undefined {
		return this.isUsed ? this.#plans : undefined;
	}

	over(base: CatalogSnapshot): CatalogSnapshot {
		if (!this.isUsed) return base;
		if (this.#over?.base !== base || this.#over.objects !== this.#objects) {
			const catalog = base.withChanges(standing(this.#objects, base));
			this.#over = { base, objects: this.#objects, catalog };
		}
		return this.#over.catalog;
	}

	/** Object ids, with those that the open transaction has made. */
	all(changes: CatalogChanges): readonly number[] {
		const made = [...changes].filter(([, one]) => one !== undefined && isOwn(one));
		return [...new Set([...this.#objects.keys(), ...made.map(([oid]) => oid)])];
	}

	/** What a transaction has changed, at its commit. */
	commit(changes: CatalogChanges): void {
		const objects = new Map(this.#objects);
		let isChanged = false;
		for (const [oid, one] of changes) {
			if (one === undefined) isChanged = objects.delete(oid) || isChanged;
			else if (isOwn(one)) {
				objects.set(oid, one);
				isChanged = true;
			}
		}
		const ending = [...objects.values()].filter(
			(one) => one.kind === "table" && one.onCommit === "drop",
		);
		dropWith(
			objects,
			ending.map(({ oid }) => oid),
		);
		if (isChanged) this.#keepOnly(objects);
		for (const one of this.#objects.values()) {
			if (one.kind === "table" && one.onCommit === "delete") this.#clear(allIndexIds(one));
		}
	}

	/** The session ends. */
	close(): void {
		this.#objects = nothing;
		this.#over = undefined;
		this.store.close();
	}

	/** The schema goes with the last that is in it. */
	#keepOnly(objects: ReadonlyMap<number, Own>): void {
		const before = this.#objects;
		const isEmpty = [...objects.values()].every(({ kind }) => kind === "schema");
		this.#objects = isEmpty ? nothing : objects;
		this.#generations++;
		this.#plans = new PlanCache();
		const { indexIds, valueIds } = idsOf(this.#objects.values());
		const had = idsOf(before.values());
		this.#clear([...had.indexIds].filter((id) => !indexIds.has(id)));
		for (const id of had.valueIds) if (!valueIds.has(id)) this.sequences.forget(id);
	}

	#clear(indexIds: readonly number[]): void {
		for (const id of indexIds) this.store.clear(indexSpan(id));
	}
}

const isOwn = (one: AnyDescriptor): one is Own =>
	one.kind === "schema" ? isTemporarySchema(one.name) : "schema" in one && isTemporary(one);

function idsOf(objects: Iterable<Own>): {
	readonly indexIds: ReadonlySet<number>;
	readonly valueIds: ReadonlySet<number>;
} {
	const indexIds = new Set<number>();
	const valueIds = new Set<number>();
	for (const one of objects) {
		if (one.kind === "table") for (const id of allIndexIds(one)) indexIds.add(id);
		if (one.kind === "sequence") valueIds.add(one.valueId);
	}
	return { indexIds, valueIds };
}

/** User-made objects have higher ids. */
const systemOidMax = 16_383;

/** Without those that depend on something that is neither among them nor in the catalog. */
function standing(
	objects: ReadonlyMap<number, Own>,
	base: CatalogSnapshot,
): ReadonlyMap<number, Own> {
	const left = new Map(objects);
	const find = (oid: number): Own | undefined => left.get(oid) ?? base.relation(oid);
	for (let before = -1; before !== left.size; ) {
		before = left.size;
		for (const [oid, one] of left) if (!stands(one, find)) left.delete(oid);
	}
	return left;
}

function stands(one: Own, find: (oid: number) => Own | undefined): boolean {
	switch (one.kind) {
		case "table":
			return hasTypes(one, find) && fieldsIn(one, find) === one.fields;
		case "type":
			return hasTypes(one, find);
		case "view":
			return (
				hasTypes(one, find) &&
				one.references.every(({ oid, used }) => oid <= systemOidMax || hasColumns(find(oid), used))
			);
		case "sequence":
			return one.ownedBy === undefined || find(one.ownedBy.tableOid) !== undefined;
		default:
			return true;
	}
}

const hasTypes = (one: RelationDescriptor, find: (oid: number) => Own | undefined): boolean =>
	madeTypesOf(one).every((oid) => find(oid)?.kind === "type");

function hasColumns(relation: Own | undefined, attnums: readonly number[]): boolean {
	if (relation?.kind !== "table" && relation?.kind !== "view") return false;
	return attnums.every((attnum) => relation.columns[attnum - 1]?.dropped === false);
}

/** Takes objects out, and with them what depends on them. */
function dropWith(objects: Map<number, Own>, going: readonly number[]): void {
	for (const oid of going) {
		if (!objects.delete(oid)) continue;
		for (const one of objects.values()) {
			if (one.kind === "sequence" && one.ownedBy?.tableOid === oid) dropWith(objects, [one.oid]);
			if (one.kind === "view" && one.references.some((read) => read.oid === oid)) {
				dropWith(objects, [one.oid]);
			}
			if (one.kind !== "table") continue;
			const foreignKeys = one.foreignKeys.filter((key) => key.referencedTable !== oid);
			if (foreignKeys.length < one.foreignKeys.length) {
				objects.set(one.oid, { ...one, foreignKeys });
			}
		}
	}
}
