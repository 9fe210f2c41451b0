/** What a group starts from: the log that was recovered, brought in line with what the machine holds. */
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

/** Returns a reason where the machine and the log have nothing in common: the replica cannot go on. */
export function startOf(
	options: GroupOptions,
	recovered: RecoveredGroup | undefined,
): Start | { readonly refused: string } {
	const { applied } = options;
	if (recovered === undefined) return startAt(options, undefined);
	const { snapshot, hardState } = recovered;
	const begin = snapshot?.index ?? (recovered.entries[0]?.index ?? 1) - 1;
	const entries = recovered.entries.filter((entry) => entry.index > begin);
	if (applied.index < begin) {
		return {
			refused:
				`range ${options.rangeId}, replica ${options.replicaId}: its state has applied entries up to ` +
				`${applied.index}, its log begins after ${begin}; what lies between is lost on this node`,
		};
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
