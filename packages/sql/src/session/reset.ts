/**
 * An empty database, for the next test: one schema change takes away the whole catalog, however much there is. The rows stay
 * under their physical prefixes, which are never used again (S4), so the price depends on the number of tables only.
 *
 * It reads nothing: the commit raises the schema version by one, or is refused because another change came first, so the
 * catalog of the version before is known to be all that there is.
 */
import type { DatabaseError } from "@quorate/keys/database-error";
import { neverCancelled } from "@quorate/txn/own-transactions";
import type { Transaction } from "@quorate/txn/types";
import type { RelationDescriptor } from "../catalog/descriptor.ts";
import { allIndexIds, encodeDropped } from "../catalog/dropped-index.ts";
import {
	databaseNameKey,
	descriptorKey,
	droppedIndexKey,
	roleKey,
	roleNameKey,
	schemaNameKey,
	sequenceKey,
} from "../catalog/keys.ts";
import { nameKeysOf } from "../ddl/schema-editor.ts";
import type { NodeServices } from "./node-services.ts";
import { isConflict, retrying } from "./retry.ts";
import { schemaWaitMs } from "./session-state.ts";

/** Sessions that go on writing are in its way, and whoever asked has nothing else to do: some 25 s. */
const attemptsMax = 100;

export function endTransactions(
	services: NodeServices,
	reason: DatabaseError,
	version = Number.POSITIVE_INFINITY,
): void {
	for (const state of services.sessions) {
		const { block } = state;
		const { transaction } = block ?? {};
		if (block?.explicit !== true || transaction === undefined) continue;
		if (transaction.schemaVersion < version) state.end(block, reason);
	}
}

export async function dropEverything(services: NodeServices): Promise<number> {
	const { runtime, coordinator, catalog, placement } = services;
	const version = await retrying(
		runtime,
		async () => {
			const transaction = coordinator.begin({
				isolation: "serializable",
				mode: "optimistic",
				readOnly: false,
				lockTimeoutMs: 0,
				schemaVersion: placement.schemaVersion(),
			});
			try {
				transaction.beginStatement(neverCancelled);
				await transaction.readTimestamp();
				const snapshot = await catalog.of(transaction);
				const relations = snapshot.relations();
				const roles = snapshot.roles.stored();
				const schemas = snapshot.schemas.changed();
				const rights = snapshot.allRights();
				const databases = snapshot.otherDatabases();
				const lists = [relations, roles, schemas, rights, databases];
				if (lists.every(({ length }) => length === 0)) {
					await transaction.rollback();
					return snapshot.version;
				}
				for (const relation of relations) dropBlindly(transaction, relation);
				for (const { oid } of rights) transaction.delete(roleKey(oid));
				for (const { oid, name, database } of schemas) {
					transaction.delete(roleKey(oid));
					transaction.delete(schemaNameKey(name, database));
				}
				for (const { oid, name } of databases) {
					transaction.delete(roleKey(oid));
					transaction.delete(databaseNameKey(name));
				}
				for (const { oid, name } of roles) {
					transaction.delete(roleKey(oid));
					transaction.delete(roleNameKey(name));
				}
				transaction.markSchemaChange();
				return (await transaction.commit()).schemaVersion!;
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		},
		isConflict,
		attemptsMax,
	);
	await placement.awaitSchemaVersion(version, schemaWaitMs);
	return version;
}

export function dropBlindly(transaction: Transaction, relation: RelationDescriptor): void {
	transaction.delete(descriptorKey(relation.oid));
	for (const name of nameKeysOf(relation).keys()) transaction.delete(name);
	if (relation.kind === "sequence") {
		transaction.delete(sequenceKey(relation.valueId));
		return;
	}
	if (relation.kind === "view" || relation.kind === "type") return;
	for (const indexId of allIndexIds(relation)) {
		transaction.put(droppedIndexKey(indexId), encodeDropped(relation.name));
	}
}
