/** Branded identifiers shared by all layers. Plain numbers and strings at run time. */
declare const brand: unique symbol;
type Brand<T, B> = T & { readonly [brand]: B };

/** A node of the cluster, from 1; never reused. */
export type NodeId = Brand<number, "NodeId">;
/** A range (shard), from 1; never reused. The placement group's Raft group uses 0. */
export type RangeId = Brand<number, "RangeId">;
/** One replica of one range on one node; a replica that comes back empty has a new one. */
export type ReplicaId = Brand<number, "ReplicaId">;
/** `${nodeId}.${random hex}`: one start of one process. Never reused. */
export type BootId = Brand<string, "BootId">;
/** Random hex, drawn once when the cluster is founded. */
export type ClusterId = Brand<string, "ClusterId">;
/** One attempt to commit, see `transaction-id.ts`. Used once (T5). */
export type TransactionId = Brand<string, "TransactionId">;
/** Owner of in-memory locks: a transaction of a gateway from its first statement, across retries. */
export type LockOwner = Brand<string, "LockOwner">;

export const nodeId = (value: number): NodeId => value as NodeId;
export const rangeId = (value: number): RangeId => value as RangeId;
export const replicaId = (value: number): ReplicaId => value as ReplicaId;
export const bootId = (value: string): BootId => value as BootId;
export const clusterId = (value: string): ClusterId => value as ClusterId;
export const lockOwner = (value: string): LockOwner => value as LockOwner;
