/** Sessions as their node tells others of them. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import { inDatabase } from "../catalog/database.ts";
import type { ClusterAccess, SessionStatus, TransactionStatus } from "../types/cluster-access.ts";
import type { SessionState } from "./session-state.ts";
import type { StatementStatistics } from "./statement-statistics.ts";
import { withoutSecrets } from "./statement-text.ts";

/** Longer texts are cut. */
const textMax = 1_024;

export function sessionStatus(state: SessionState): SessionStatus {
	const { activity, block, context, settings, services } = state;
	return {
		process: context.backendPid,
		user: context.sessionUser,
		...inDatabase(services.databaseOid),
		application: settings.value("application_name"),
		client: activity.address,
		startMs: activity.startMs,
		transactionStartMs: block === undefined ? null : context.transactionStartMs,
		statementStartMs: activity.statementStartMs ?? null,
		changeMs: activity.changeMs,
		state: stateOf(state),
		text: withoutSecrets(activity.text).slice(0, textMax),
		transaction: transactionOf(state),
	};
}

function stateOf({ activity, block }: SessionState): SessionStatus["state"] {
	if (activity.isActive) return "active";
	if (block === undefined) return "idle";
	return block.refusal === undefined ? "idle in transaction" : "idle in transaction (aborted)";
}

function transactionOf({ block }: SessionState): TransactionStatus | null {
	const transaction = block?.transaction;
	if (block === undefined || transaction === undefined) return null;
	const { isolation, mode, readOnly } = block.characteristics;
	const { owner, id, bufferedBytes } = transaction;
	const exported = block.exported === undefined ? {} : { exported: block.exported };
	return { owner, id: id ?? null, isolation, mode, readOnly, bufferedBytes, ...exported };
}

/** Where there are no other nodes: an in-process coordinator. */
export function aloneWith(
	sessions: ReadonlySet<SessionState>,
	statistics: StatementStatistics,
): ClusterAccess {
	return {
		statements: async () => ({
			nodes: [],
			silent: [],
			statements: [{ nodeId: 1 as NodeId, ...statistics.report(Number.POSITIVE_INFINITY) }],
		}),
		activity: async () => ({
			nodes: [
				{
					nodeId: 1 as NodeId,
					sessions: [...sessions].map(sessionStatus),
					locks: [],
					locksLeftOut: 0,
				},
			],
			silent: [],
		}),
		runAt: async () => undefined,
		cancelAt: () => {},
		signal: async () => {
			throw new DatabaseError("0A000", "sessions of this coordinator cannot be signalled", {
				hint: "It is part of another program: end them there.",
			});
		},
		overview: async () => ({
			nodes: [],
			ranges: [],
			obstacles: [],
			moves: [],
			isSettled: true,
			events: [],
		}),
		changeNode: async () => {
			throw new DatabaseError("0A000", "this coordinator is in no cluster", {
				hint: "Start nodes with quorate start.",
			});
		},
	};
}
