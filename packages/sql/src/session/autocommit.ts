/** One statement, one transaction: run again after a conflict as long as the client has seen nothing of it. */
import type { Datum } from "../types/datum.ts";
import { HeldCopy } from "./held-copy.ts";
import { HeldOutput } from "./output.ts";
import type { Prepared } from "./prepared.ts";
import { isConflict, retrying } from "./retry.ts";
import { runStatement } from "./run-statement.ts";
import type { SessionState } from "./session-state.ts";
import type { ResultSink } from "./types.ts";

/** The command tag, once it has committed and its rows are out. `tellsColumns`: the sink is to hear of them before. */
export async function autocommit(
	state: SessionState,
	prepared: Prepared,
	parameters: readonly Datum[],
	sink: ResultSink,
	tellsColumns: boolean,
): Promise<string> {
	const { utility } = prepared;
	const direction = utility?.kind === "copy" ? utility.direction : undefined;
	const copy = direction === "from" ? new HeldCopy(sink) : undefined;
	const newOutput = () => new HeldOutput(sink, tellsColumns, copy);
	let output = newOutput();
	let hasLasting = false;
	const tag = await retrying(
		state.services.runtime,
		async () => {
			output = newOutput();
			const block = state.begin(false);
			block.isAlone = true;
			try {
				const done = await runStatement(state, block, prepared, parameters, output);
				if (!state.commitAtOnce()) await state.commit();
				return done;
			} catch (error) {
				hasLasting = block.hasLasting;
				await state.rollback();
				throw error;
			}
		},
		(error) => {
			const isShown = output.shown || direction === "to" || copy?.isWhole === false;
			return isConflict(error) && !isShown && !hasLasting;
		},
	);
	await output.release();
	return tag;
}
