/** The deterministic part of a merge (`merges.ts`): what its entries do to the two ranges. */
import { assert } from "@quorate/keys/assert";
import type { Mutations } from "@quorate/keys/mutations";
import type { Timestamp } from "@quorate/keys/timestamp";
import { metaKey } from "@quorate/storage/engine-keys";
import type { VersionBatch } from "@quorate/storage/version-batch";
import type { ApplyResult } from "./apply.ts";
import type { Command, MergedRange } from "./commands.ts";
import {
	decodeRangeState,
	describeRange,
	encodeRangeState,
	type RangeState,
} from "./range-state.ts";

const done: ApplyResult = { kind: "done" };
const rejected = (reason: string): ApplyResult => ({ kind: "rejected", reason });

/** The members are those that the proposer looked at, all of them vote, and none comes or goes. */
function hasMembers({ descriptor, configuration }: RangeState, conf: number): boolean {
	const { outgoing, learners, learnersNext } = configuration;
	const isPlain = outgoing.length + learners.length + learnersNext.length === 0;
	return isPlain && descriptor.epoch.conf === conf;
}

export function applyMergeBegin(
	state: RangeState,
	c: Extract<Command, { kind: "merge-begin" }>,
): ApplyResult {
	if (state.merging !== undefined || !hasMembers(state, c.conf)) {
		return rejected("the range is being merged or moved");
	}
	assert(state.descriptor.end === c.at, "M1: a merge begins with the range to the right");
	state.merging = { right: c.right, at: c.at, version: c.version, isRefused: false };
	return done;
}

export function applyFreeze(
	state: RangeState,
	c: Extract<Command, { kind: "freeze" }>,
): ApplyResult {
	if (state.merging !== undefined || !hasMembers(state, c.conf)) {
		return rejected("the range is being merged or moved");
	}
	assert(state.closed <= c.t, () => `F1: ${state.closed} was closed above the freeze at ${c.t}`);
	// L2: whoever held the lease had stopped serving before t was drawn.
	state.frozen = { into: c.into, intoVersion: c.intoVersion, t: c.t };
	state.lease = { ...state.lease, expiry: c.t };
	return done;
}

/** M4. Also where it is not frozen: then the freeze that is still on its way finds another version. */
export function applyThaw(state: RangeState, version: number): ApplyResult {
	const { descriptor } = state;
	if (descriptor.epoch.version !== version) {
		return rejected("the range has changed");
	}
	state.frozen = undefined;
	const { conf } = descriptor.epoch;
	state.descriptor = { ...descriptor, epoch: { version: version + 1, conf } };
	return done;
}

export function applyMergeRefuse(state: RangeState): ApplyResult {
	if (state.merging === undefined) {
		return rejected("no merge has begun");
	}
	state.merging = { ...state.merging, isRefused: true };
	return done;
}

export function applyMergeEnd(state: RangeState): ApplyResult {
	if (state.merging?.isRefused !== true) {
		return rejected("no merge was refused");
	}
	state.merging = undefined;
	return done;
}

export function applyMerge(
	state: RangeState,
	batch: VersionBatch,
	{ right, conf }: Extract<Command, { kind: "merge" }>,
	mutations: Mutations | undefined,
): ApplyResult {
	const { merging, descriptor } = state;
	const isBegun = merging?.right === right.rangeId && merging.version === right.version;
	if (!isBegun || merging.isRefused || !hasMembers(state, conf)) {
		return rejected("the merge was refused");
	}
	const frozen = frozenSide(state, batch, right, mutations);
	const version = Math.max(descriptor.epoch.version, right.version) + 1;
	state.descriptor = {
		...descriptor,
		end: right.end,
		epoch: { version, conf: descriptor.epoch.conf },
	};
	state.merging = undefined;
	inherit(state, right, mutations);
	// It holds no replica any more, on any node: the start after a crash clears what is left of it (`store.ts`).
	const gone = { ...frozen, descriptor: { ...frozen.descriptor, replicas: [] } };
	batch.rawPut(metaKey(right.rangeId, "state"), encodeRangeState(gone));
	return { kind: "merged", right: frozen };
}

/** M2: the right side is here, and has applied its freeze. */
function frozenSide(
	{ descriptor }: RangeState,
	batch: VersionBatch,
	right: MergedRange,
	mutations: Mutations | undefined,
): RangeState {
	const bytes = batch.raw(metaKey(right.rangeId, "state"));
	assert(bytes !== undefined, () => `M2: range ${right.rangeId} is merged, and is not here`);
	const state = decodeRangeState(bytes);
	const isFrozen = state.frozen?.into === descriptor.rangeId && state.frozen.t === right.t;
	assert(
		isFrozen || mutations?.mergedUnapplied === true,
		() => `M2: ${describeRange(state.descriptor)} is merged, and is not frozen here`,
	);
	const isSame =
		state.descriptor.start === descriptor.end &&
		state.descriptor.end === right.end &&
		state.descriptor.epoch.version === right.version &&
		state.lastCommit === right.lastCommit &&
		state.gcThreshold === right.gcThreshold &&
		state.horizon === right.horizon &&
		state.closed === right.closed;
	assert(
		isSame || mutations?.mergedUnapplied === true,
		() => `M2: ${describeRange(state.descriptor)} is not what its merge says`,
	);
	return state;
}

/** M3: of each the higher. Whatever was read on either side was read at or below the expiry. */
function inherit(state: RangeState, right: MergedRange, mutations: Mutations | undefined): void {
	const higher = (a: Timestamp, b: Timestamp): Timestamp => (a > b ? a : b);
	state.gcThreshold = higher(state.gcThreshold, right.gcThreshold);
	state.horizon = higher(state.horizon, right.horizon);
	if (mutations?.mergeForgetsReads === true) {
		return;
	}
	state.lease = { ...state.lease, expiry: higher(state.lease.expiry, right.t) };
	state.lastCommit = higher(state.lastCommit, right.lastCommit);
	if (right.closed > state.closed) {
		state.closed = right.closed;
		state.closedVersion = right.closedVersion;
	}
}
