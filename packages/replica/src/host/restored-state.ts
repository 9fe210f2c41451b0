/** What a group starts from: the log that was recovered, brought in line with what the machine holds. */
import { damaged } from "@quorate/keys/damage";
import type { ReplicaId } from "@quorate/keys/ids";
import type { RestoredState } from "@quorate/raft/group";
import type { Entry, HardState } from "@quorate/raft/types";
import type { RecoveredGroup, WalWrite } from "@quorate/wal/types";
import type { GroupOptions } from "../host-types.ts";

export interface Start {
	readonly restored: RestoredState;
	/** To be made durable first: the log begins here. */
	readonly write: WalWrite | undefined;
}

/**
 * Rejects a replica that has lost a part of its state or its log: without its log it has forgotten how it voted and what it has
 * acknowledged, so it must never take part again under its id.
 */
export function startOf(options: GroupOptions, recovered: RecoveredGroup | undefined): Start {
	const { applied, rangeId, replicaId, statePath } = options;
	if (recovered === undefined || recovered.replicaId !== replicaId) {
		// Another replica that still waited for its first snapshot has left nothing.
		const isFree = recovered === undefined || !holdsSomething(recovered);
		if (isFree && applied.index <= options.bornAt) return startAt(options, undefined);
		const inLog =
			recovered === undefined ? "nothing of it" : `replica ${recovered.replicaId} of it`;
		throw damaged(
			`${statePath} holds replica ${replicaId} of range ${rangeId}, and the write-ahead log in wal knows ${inLog}: ` +
				"files of one of the two were lost",
		);
	}
	const { snapshot, hardState } = recovered;
	const begin = snapshot?.index ?? (recovered.entries[0]?.index ?? 1) - 1;
	const entries = recovered.entries.filter((entry) => entry.index > begin);
	if (applied.index < begin) {
		throw damaged(
			`${statePath} has lost what replica ${replicaId} of range ${rangeId} had applied: it goes up to entry ` +
				`${applied.index}, the write-ahead log in wal begins after ${begin}`,
		);
	}
	const termInLog =
		applied.index === begin ? snapshot?.term : entries[applied.index - begin - 1]?.term;
	if (termInLog !== applied.term) {
		// The machine is ahead: it became a snapshot, or holds durably what was applied before this node's log had it.
		return startAt(options, hardState);
	}
	const { configuration } = applied;
	const start = snapshot ?? {
		index: begin,
		term: begin === applied.index ? applied.term : 0,
		configuration,
	};
	return {
		restored: { hardState, snapshot: start, entries, applied: applied.index, configuration },
		write: undefined,
	};
}

export const holdsSomething = (group: RecoveredGroup): boolean =>
	group.entries.length > 0 || (group.snapshot?.index ?? 0) > 0;

/** The log begins at what the machine holds. */
function startAt(
	{ rangeId, replicaId, applied }: GroupOptions,
	known: HardState | undefined,
): Start {
	// A vote given in the term that is kept stays given.
	const hardState: HardState =
		known !== undefined && known.term >= applied.term
			? { ...known, commit: applied.index }
			: { term: applied.term, vote: 0 as ReplicaId, commit: applied.index };
	const entries: readonly Entry[] = [];
	const { index, configuration } = applied;
	return {
		restored: { hardState, snapshot: applied, entries, applied: index, configuration },
		write: { rangeId, replicaId, hardState, snapshot: { ...applied, reset: true } },
	};
}
