/**
 * The deterministic part of a range: what a committed command does to the replicated state. Same inputs, same outputs,
 * on every replica; nothing here knows whether this replica leads.
 */

import { assert } from "@quorate/keys/assert";
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, spanContains } from "@quorate/keys/key";
import type { Mutations } from "@quorate/keys/mutations";
import { type RangeDescriptor, rangeSpan } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import { transactionBegin } from "@quorate/keys/transaction-id";
import { metaKey, transactionKey } from "@quorate/storage/engine-keys";
import type { VersionBatch } from "@quorate/storage/version-batch";
import { type Intent, manyKeys, spanOf } from "@quorate/storage/versions";
import {
	applyFreeze,
	applyMerge,
	applyMergeBegin,
	applyMergeEnd,
	applyMergeRefuse,
	applyThaw,
} from "./apply-merge.ts";
import type { Command, Envelope } from "./commands.ts";
import {
	configurationOf,
	encodeRangeState,
	newRangeState,
	type RangeState,
} from "./range-state.ts";
import { decodeRecord, encodeRecord, type TransactionRecord } from "./transaction-record.ts";

/** What the proposer is told. `rejected`: nothing happened and, by L3, never will. */
export type ApplyResult =
	| { readonly kind: "done" }
	| { readonly kind: "rejected"; readonly reason: string }
	/** A Prepare or one-phase met its tombstone, its record, X or the GC threshold. */
	| { readonly kind: "refused"; readonly reason: string }
	| { readonly kind: "prepared"; readonly p: Timestamp }
	| { readonly kind: "committed"; readonly c: Timestamp }
	| { readonly kind: "aborted" }
	/** T4: neither intent, record nor tombstone, and begun at or before X. */
	| { readonly kind: "unknown" }
	| { readonly kind: "split"; readonly right: RangeState }
	/** `right` as it was. */
	| { readonly kind: "merged"; readonly right: RangeState };

const done: ApplyResult = { kind: "done" };
const rejected = (reason: string): ApplyResult => ({ kind: "rejected", reason });
const refused = (reason: string): ApplyResult => ({ kind: "refused", reason });

/** True if the lease changed with this command: everything of the old lease ends (L4). */
export function isLeaseChange(command: Command): boolean {
	return command.kind === "lease" || command.kind === "transfer";
}

/** Judges the envelope (L2, L3) and executes the command. */
export function applyCommand(
	state: RangeState,
	batch: VersionBatch,
	e: Envelope,
	mutations?: Mutations,
): ApplyResult {
	const { command } = e;
	if (command.kind === "lease") {
		return state.frozen === undefined
			? applyLease(state, command, mutations)
			: rejected("the range is frozen");
	}
	if (command.kind === "thaw") {
		return applyThaw(state, e.version);
	}
	// L3: nothing is applied twice, late, or outside its range.
	if (e.sequence !== state.lease.sequence && mutations?.withoutLeaseSequence !== true) {
		return rejected("its lease has ended");
	}
	if (e.number <= state.lastNumber && mutations?.entriesAppliedTwice !== true) {
		return rejected("its number was passed");
	}
	if (e.version !== state.descriptor.epoch.version) {
		return rejected("the range has changed");
	}
	state.lastNumber = e.number;
	if (state.frozen !== undefined) {
		return rejected("the range is frozen");
	}
	return execute(state, batch, command, mutations);
}

function applyLease(
	state: RangeState,
	c: Extract<Command, { kind: "lease" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	// L2: it names the sequence it replaces and starts above everything that one may have served.
	if (c.replaces !== state.lease.sequence) {
		return rejected("another lease came first");
	}
	if (c.start <= state.lease.expiry && mutations?.leasesOverlap !== true) {
		return rejected("starts before the previous lease expired");
	}
	beginLease(state, c.nodeId, c.bootId, c.start, c.expiry);
	return done;
}

function beginLease(
	state: RangeState,
	nodeId: RangeState["lease"]["nodeId"],
	bootId: RangeState["lease"]["bootId"],
	start: Timestamp,
	expiry: Timestamp,
): void {
	state.lease = { sequence: state.lease.sequence + 1, nodeId, bootId, start, expiry };
	state.lastNumber = 0;
}

function execute(
	state: RangeState,
	batch: VersionBatch,
	command: Exclude<Command, { kind: "lease" | "thaw" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	switch (command.kind) {
		case "extend":
			if (command.expiry > state.lease.expiry) {
				state.lease = { ...state.lease, expiry: command.expiry };
			}
			return done;
		case "transfer":
			beginLease(
				state,
				command.nodeId,
				command.bootId,
				(command.t + 1) as Timestamp,
				command.expiry,
			);
			return done;
		case "prepare":
			return applyPrepare(state, batch, command, mutations);
		case "commit":
			return applyCommit(state, batch, command);
		case "abort":
			return applyAbort(state, batch, command);
		case "resolve":
			return applyResolve(state, batch, command, mutations);
		case "one-phase":
			return applyOnePhase(state, batch, command, mutations);
		case "forget":
			return applyForget(state, batch, command, mutations);
		case "collect":
			return applyCollect(state, batch, command);
		case "clear":
			return applyClear(state, batch, command);
		case "close":
			return applyClose(state, command);
		case "split":
			return applySplit(state, batch, command);
		case "merge-begin":
			return applyMergeBegin(state, command);
		case "freeze":
			return applyFreeze(state, command);
		case "merge":
			return applyMerge(state, batch, command, mutations);
		case "merge-refuse":
			return applyMergeRefuse(state);
		case "merge-end":
			return applyMergeEnd(state);
	}
}

/** The record or tombstone of a transaction anchored in this range. */
export function readRecord(
	reader: { raw(k: Key): Uint8Array | undefined },
	transaction: TransactionId,
	anchor: Key,
): TransactionRecord | undefined {
	const bytes = reader.raw(transactionKey(anchor, transaction));
	return bytes === undefined ? undefined : decodeRecord(bytes);
}

const owns = (state: RangeState, k: Key) => spanContains(rangeSpan(state.descriptor), k);

function raiseLastCommit(state: RangeState, c: Timestamp): void {
	if (c > state.lastCommit) {
		state.lastCommit = c;
	}
}

function putRecord(batch: VersionBatch, record: TransactionRecord): void {
	batch.rawPut(transactionKey(record.anchor, record.transaction), encodeRecord(record));
}

/** Only with a mutation. */
function isOverlooked(record: TransactionRecord, mutations: Mutations | undefined): boolean {
	return record.outcome === "committed"
		? mutations?.entriesAppliedTwice === true
		: mutations?.withoutTombstoneCheck === true;
}

function applyPrepare(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "prepare" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	if (owns(state, c.anchor)) {
		// T3, T4: a Prepare that comes after its transaction was decided must not leave intents behind.
		const record = readRecord(batch, c.transaction, c.anchor);
		if (record !== undefined && !isOverlooked(record, mutations)) {
			return refused("the transaction was aborted: its gateway was silent for too long");
		}
		if (transactionBegin(c.transaction) <= state.horizon) {
			return refused("the transaction took longer than is remembered of those that have ended");
		}
	}
	if (c.p <= state.gcThreshold) {
		return refused("prepared at or below the GC threshold");
	}
	assertOpen(state, c.p, mutations);
	let p = c.p;
	for (const write of c.writes) {
		const present = batch.intent(write.key);
		if (present !== undefined) {
			assert(
				present.transaction === c.transaction,
				() =>
					`T1: an intent was overwritten: ${JSON.stringify(c.writes.map((w) => w.key))} of ${c.transaction} (p ${c.p}) at ${JSON.stringify([state.lease, state.lastNumber, state.appliedIndex])}: ${write.key} has ${present.transaction} p ${present.p} anchor ${present.anchor}`,
			);
			p = Math.min(p, present.p) as Timestamp;
			if (present.chunk >= c.chunk) {
				continue; // a copy, or an older chunk
			}
		}
		batch.putIntent(write.key, {
			transaction: c.transaction,
			p: present === undefined ? c.p : (Math.min(present.p, c.p) as Timestamp),
			anchor: c.anchor,
			value: write.value ?? undefined,
			chunk: c.chunk,
			mark: write.mark === true,
		});
	}
	return { kind: "prepared", p };
}

function applyCommit(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "commit" }>,
): ApplyResult {
	const record = readRecord(batch, c.transaction, c.anchor);
	if (record !== undefined) {
		return record.outcome === "committed"
			? { kind: "committed", c: record.c }
			: { kind: "aborted" };
	}
	const intent = batch.intent(c.anchor);
	if (intent?.transaction !== c.transaction) {
		assert(
			transactionBegin(c.transaction) <= state.horizon,
			() => `T4: a Commit above the horizon found no intent, record or tombstone`,
		);
		return { kind: "unknown" };
	}
	assert(c.c > intent.p, () => `T1: commit timestamp ${c.c} is not above p ${intent.p}`);
	resolveKey(state, batch, c, c.anchor, intent);
	resolveOwnPoints(state, batch, c);
	putRecord(batch, {
		transaction: c.transaction,
		anchor: c.anchor,
		at: c.c,
		outcome: "committed",
		c: c.c,
		written: c.written,
	});
	return { kind: "committed", c: c.c };
}

/** Intents of single keys that lie in the anchor's own range go with the decision: no Resolve is needed for them. */
function resolveOwnPoints(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "commit" }>,
): void {
	for (const span of c.written) {
		if (span.end === keySuccessor(span.start) && owns(state, span.start)) {
			resolveKey(state, batch, c, span.start, batch.intent(span.start));
		}
	}
}

function applyAbort(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "abort" }>,
): ApplyResult {
	const record = readRecord(batch, c.transaction, c.anchor);
	if (record !== undefined) {
		return record.outcome === "committed"
			? { kind: "committed", c: record.c }
			: { kind: "aborted" };
	}
	const intent = batch.intent(c.anchor);
	const mine = intent?.transaction === c.transaction;
	if (!mine && transactionBegin(c.transaction) <= state.horizon) {
		return { kind: "unknown" };
	}
	// T3: also where the prepare has not come yet, which then meets the tombstone.
	putRecord(batch, {
		transaction: c.transaction,
		anchor: c.anchor,
		at: c.at,
		outcome: "aborted",
	});
	if (mine) {
		batch.removeIntent(c.anchor);
	}
	return { kind: "aborted" };
}

function applyResolve(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "resolve" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	for (const span of c.spans) {
		if (span.end === keySuccessor(span.start)) {
			resolveKey(state, batch, c, span.start, batch.intent(span.start), mutations);
			continue;
		}
		const intents = batch.intents(span, Number.MAX_SAFE_INTEGER);
		if (intents.length >= manyKeys) {
			batch.expect(spanOf(intents.map(({ key }) => key)));
		}
		for (const { key, intent, bytes } of intents) {
			resolveKey(state, batch, c, key, intent, mutations, bytes);
		}
	}
	return done;
}

/** `intent`: what is on the key now; `bytes`: as it is stored, where that is known. */
function resolveKey(
	state: RangeState,
	batch: VersionBatch,
	c: { readonly transaction: TransactionId; readonly c: Timestamp },
	key: Key,
	intent: Intent | undefined,
	mutations?: Mutations,
	bytes?: number,
): void {
	if (intent?.transaction !== c.transaction) {
		return;
	}
	batch.removeIntent(key, bytes);
	if (c.c === 0) {
		return;
	}
	raiseLastCommit(state, c.c);
	// A late copy of the Prepare may have left an intent again: then the version is there, or c is not above its p.
	if (!intent.mark && c.c > intent.p && batch.newestChange(key) < c.c) {
		const at = mutations?.resolvedAtPreparePoint === true ? intent.p : c.c;
		batch.put(key, at, intent.value);
	}
}

function applyOnePhase(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "one-phase" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	const record = readRecord(batch, c.transaction, c.anchor);
	if (record !== undefined && !isOverlooked(record, mutations)) {
		return record.outcome === "committed"
			? { kind: "committed", c: record.c }
			: { kind: "aborted" };
	}
	if (transactionBegin(c.transaction) <= state.horizon) {
		return { kind: "unknown" };
	}
	if (c.p <= state.gcThreshold) {
		return refused("prepared at or below the GC threshold");
	}
	// What was built on a pending value applies only if that came to be, and is the newest still.
	if (c.reads.some((read) => batch.newestChange(read.key) !== read.c)) {
		return refused("a pending value that it had read did not come to be");
	}
	assertOpen(state, c.p, mutations);
	assert(c.c > c.p, () => `T1: commit timestamp ${c.c} is not above p ${c.p}`);
	if (c.writes.length >= manyKeys) {
		batch.expect(spanOf(c.writes.map(({ key }) => key)));
	}
	for (const write of c.writes) {
		batch.put(write.key, c.c, write.value ?? undefined);
	}
	raiseLastCommit(state, c.c);
	putRecord(batch, {
		transaction: c.transaction,
		anchor: c.anchor,
		at: c.c,
		outcome: "committed",
		c: c.c,
		written: c.written,
	});
	return { kind: "committed", c: c.c };
}

function applyForget(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "forget" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	for (const { id, anchor } of c.transactions) {
		const k = transactionKey(anchor, id);
		const bytes = batch.raw(k);
		if (bytes === undefined) {
			continue;
		}
		batch.rawDelete(k);
		if (mutations?.tombstonesGoEarly === true && decodeRecord(bytes).outcome === "aborted") {
			continue;
		}
		// T4: what began at or before X can no longer be told apart.
		state.horizon = Math.max(state.horizon, transactionBegin(id)) as Timestamp;
	}
	return done;
}

function applyCollect(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "collect" }>,
): ApplyResult {
	if (state.merging !== undefined) {
		return rejected("the range is being merged");
	}
	if (c.threshold > state.gcThreshold) {
		state.gcThreshold = c.threshold;
	}
	batch.collect(c.span, state.gcThreshold, Number.MAX_SAFE_INTEGER);
	return done;
}

function applyClear(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "clear" }>,
): ApplyResult {
	if (state.merging !== undefined) {
		return rejected("the range is being merged");
	}
	if (c.threshold > state.gcThreshold) {
		state.gcThreshold = c.threshold;
	}
	assert(
		c.dropped <= state.gcThreshold,
		() => `S4: cleared below ${c.dropped}, and what is above ${state.gcThreshold} can be read`,
	);
	batch.clear(c.span);
	const { start } = state.descriptor;
	if (c.span.start <= start && start < c.span.end) {
		state.byHand = false;
	}
	return done;
}

function applyClose(state: RangeState, c: Extract<Command, { kind: "close" }>): ApplyResult {
	assert(
		c.timestamp <= state.lease.expiry,
		() => `F1: ${c.timestamp} is closed above the lease's expiry ${state.lease.expiry}`,
	);
	if (c.timestamp > state.closed) {
		state.closed = c.timestamp;
		state.closedVersion = c.schemaVersion;
	}
	return done;
}

/** F1: what comes after a timestamp was closed commits above it. */
function assertOpen(state: RangeState, p: Timestamp, mutations: Mutations | undefined): void {
	assert(
		p >= state.closed || mutations?.timestampBeforePending === true,
		() => `F1: prepared at ${p}, and ${state.closed} is closed`,
	);
}

function applySplit(
	state: RangeState,
	batch: VersionBatch,
	c: Extract<Command, { kind: "split" }>,
): ApplyResult {
	const d = state.descriptor;
	if (state.merging !== undefined) {
		return rejected("the range is being merged");
	}
	if (!(c.at > d.start && c.at < d.end)) {
		return rejected("the split key is not inside the range");
	}
	// A membership change that came between does not raise the version.
	if (c.replicaIds.length !== d.replicas.length) {
		return rejected("the members of the range have changed");
	}
	const version = d.epoch.version + 1;
	const rightDescriptor: RangeDescriptor = {
		rangeId: c.rangeId,
		start: c.at,
		end: d.end,
		epoch: { version, conf: 1 },
		replicas: d.replicas.map((r, i) => ({ ...r, replicaId: c.replicaIds[i]! })),
	};
	// Everything about a key goes with the key; what is the range's own, the right side inherits (section 4).
	const right: RangeState = {
		...newRangeState(rightDescriptor),
		configuration: configurationOf(rightDescriptor),
		lease: state.lease,
		lastNumber: state.lastNumber,
		lastCommit: state.lastCommit,
		gcThreshold: state.gcThreshold,
		horizon: state.horizon,
		closed: state.closed,
		closedVersion: state.closedVersion,
		byHand: c.byHand === true,
	};
	state.descriptor = { ...d, end: c.at, epoch: { version, conf: d.epoch.conf } };
	batch.rawPut(metaKey(c.rangeId, "state"), encodeRangeState(right));
	return { kind: "split", right };
}
