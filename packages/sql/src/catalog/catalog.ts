/**
 * The catalog as a node knows it. A snapshot is made from all descriptors at one read timestamp and belongs to one schema
 * version; while the placement group has not told of a newer version, statements are planned without any read.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { PlacementClient } from "@quorate/placement/types";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Transaction, TransactionCoordinator } from "@quorate/txn/types";
import type { RightsDescriptor } from "./acl.ts";
import { type DatabaseDescriptor, undefinedDatabase } from "./database.ts";
import { decodeDescriptor, type RelationDescriptor } from "./descriptor.ts";
import { decodeDropped } from "./dropped-index.ts";
import { decodeId, descriptorSpan, droppedIndexSpan, roleSpan } from "./keys.ts";
import { decodeRole, type RoleDescriptor, Roles } from "./role.ts";
import { publicSchemaOid, publicWith, type SchemaDescriptor, Schemas } from "./schema.ts";
import { CatalogSnapshot } from "./snapshot.ts";

const keptMax = 4;

/** Errors of binding: names, types, functions, labels of enums. Not of syntax. */
export const dependsOnSchema = (error: unknown): boolean =>
	error instanceof DatabaseError &&
	(/^42(?!601)/.test(error.code) ||
		(error.code === "22P02" && error.message.startsWith("invalid input value for enum")));

/** What statements ask for. Rejects, or throws, with 3D000 where the database is not there. */
export interface CatalogReader {
	/** Not older than any version that this node has heard of. Synchronous in the common case. */
	newest(): CatalogSnapshot | Promise<CatalogSnapshot>;
	/** The same, where it is at hand. */
	known(): CatalogSnapshot | undefined;
	/** As of now, whatever this node has heard of: before somebody is told that something is not there. */
	confirmed(): Promise<CatalogSnapshot>;
	/** The catalog of the transaction's read timestamp (S2). */
	of(transaction: Transaction): CatalogSnapshot | Promise<CatalogSnapshot>;
	/** As of a timestamp in the past. */
	at(asOf: IssuedTimestamp): Promise<CatalogSnapshot>;
}

/** One database of it. */
export class DatabaseCatalog implements CatalogReader {
	readonly #all: CatalogReader;
	readonly #oid: number;
	readonly #name: string;

	constructor(all: CatalogReader, oid: number, name: string) {
		this.#all = all;
		this.#oid = oid;
		this.#name = name;
	}

	newest(): CatalogSnapshot | Promise<CatalogSnapshot> {
		return this.#shown(this.#all.newest());
	}

	known(): CatalogSnapshot | undefined {
		const known = this.#all.known();
		return known && this.#view(known);
	}

	async confirmed(): Promise<CatalogSnapshot> {
		return this.#view(await this.#all.confirmed());
	}

	of(transaction: Transaction): CatalogSnapshot | Promise<CatalogSnapshot> {
		return this.#shown(this.#all.of(transaction));
	}

	async at(asOf: IssuedTimestamp): Promise<CatalogSnapshot> {
		return this.#view(await this.#all.at(asOf));
	}

	#shown(found: CatalogSnapshot | Promise<CatalogSnapshot>) {
		return found instanceof Promise ? found.then((all) => this.#view(all)) : this.#view(found);
	}

	#view(all: CatalogSnapshot): CatalogSnapshot {
		const view = all.inDatabase(this.#oid);
		if (view === undefined) throw undefinedDatabase(this.#name, { detail: "It was dropped." });
		return view;
	}
}

/** All databases at once. */
export class Catalog implements CatalogReader {
	readonly #coordinator: TransactionCoordinator;
	readonly #placement: PlacementClient;
	readonly #firstName: string;
	/** By version, the oldest first. */
	readonly #kept = new Map<number, CatalogSnapshot>();
	#newest: CatalogSnapshot | undefined;
	#loading: Promise<CatalogSnapshot> | undefined;
	/** Told of each that is newer than those before. */
	onNewer: ((snapshot: CatalogSnapshot) => void) | undefined;

	/** `firstName`: what the first database is called. */
	constructor(coordinator: TransactionCoordinator, placement: PlacementClient, firstName: string) {
		this.#firstName = firstName;
		this.#coordinator = coordinator;
		this.#placement = placement;
	}

	newest(): CatalogSnapshot | Promise<CatalogSnapshot> {
		return this.known() ?? this.#atLeast(this.#placement.schemaVersion());
	}

	known(): CatalogSnapshot | undefined {
		const known = this.#newest;
		return known !== undefined && known.version >= this.#placement.schemaVersion()
			? known
			: undefined;
	}

	/** What is being loaded may have been asked for before that version was heard of. */
	async #atLeast(version: number): Promise<CatalogSnapshot> {
		for (;;) {
			this.#loading ??= this.#loadNewest().finally(() => {
				this.#loading = undefined;
			});
			const loaded = await this.#loading;
			if (loaded.version >= version) return loaded;
		}
	}

	confirmed(): Promise<CatalogSnapshot> {
		return this.#loadNewest();
	}

	async #loadNewest(): Promise<CatalogSnapshot> {
		const transaction = this.#coordinator.begin({
			isolation: "repeatable read",
			mode: "optimistic",
			readOnly: true,
			lockTimeoutMs: 0,
			schemaVersion: this.#newest?.version ?? 0,
		});
		try {
			return await this.#load(transaction);
		} finally {
			await transaction.rollback();
		}
	}

	of(transaction: Transaction): CatalogSnapshot | Promise<CatalogSnapshot> {
		return this.#kept.get(transaction.schemaVersion) ?? this.#asReadBy(transaction);
	}

	/** Beside it: what it commits does not hang on rows of the catalog that it has nothing to do with. */
	async #asReadBy(transaction: Transaction): Promise<CatalogSnapshot> {
		return this.at(await transaction.readTimestamp());
	}

	async at(asOf: IssuedTimestamp): Promise<CatalogSnapshot> {
		const kept = this.#kept.get(asOf.schemaVersion);
		if (kept !== undefined) return kept;
		const transaction = this.#coordinator.begin({
			isolation: "repeatable read",
			mode: "optimistic",
			readOnly: true,
			lockTimeoutMs: 0,
			schemaVersion: asOf.schemaVersion,
			asOf,
		});
		try {
			return await this.#load(transaction);
		} finally {
			await transaction.rollback();
		}
	}

	async #load(transaction: Transaction): Promise<CatalogSnapshot> {
		const { schemaVersion } = await transaction.readTimestamp();
		const kept = this.#kept.get(schemaVersion);
		if (kept !== undefined) return kept;
		const relations: RelationDescriptor[] = [];
		for await (const page of transaction.scan(descriptorSpan)) {
			for (const { value } of page) relations.push(decodeDescriptor(value));
		}
		const roles: RoleDescriptor[] = [];
		const rights: RightsDescriptor[] = [];
		const schemas: SchemaDescriptor[] = [];
		const databases = new Map<number, DatabaseDescriptor>();
		for await (const page of transaction.scan(roleSpan)) {
			for (const { value } of page) {
				const one = decodeRole(value);
				if (one.kind === "role") roles.push(one);
				else if (one.kind === "schema") schemas.push(one);
				else if (one.kind === "database") databases.set(one.oid, one);
				else if (one.oid === publicSchemaOid) schemas.push(publicWith(one));
				else rights.push(one);
			}
		}
		const dropped = new Map<number, string | null>();
		for await (const page of transaction.scan(droppedIndexSpan)) {
			for (const { key, value } of page) {
				dropped.set(decodeId(key, 2), decodeDropped(value).table);
			}
		}
		const snapshot = new CatalogSnapshot(schemaVersion, relations, {
			dropped,
			roles: new Roles(roles),
			rights,
			schemas: new Schemas(schemas),
			databases,
			firstName: this.#firstName,
		});
		this.#kept.set(schemaVersion, snapshot);
		if (this.#newest === undefined || this.#newest.version < schemaVersion) {
			this.#newest = snapshot;
			this.onNewer?.(snapshot);
		}
		const oldest = this.#kept.keys().next().value;
		if (this.#kept.size > keptMax && oldest !== undefined && oldest !== this.#newest.version) {
			this.#kept.delete(oldest);
		}
		return snapshot;
	}
}
