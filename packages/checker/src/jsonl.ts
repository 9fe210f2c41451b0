/** Histories as `history.jsonl`: a JSON object a line. */
import { HistoryError, type Operation, toOperation, type Value } from "./operations.ts";

/** With a line end, so that a writer can append it. */
export function writeJsonLine(operation: Operation): string {
	const { index, time, process, type, f, value, error } = operation;
	return `${JSON.stringify({ index, time, process, type, f, value, error })}\n`;
}

export const writeJsonl = (history: readonly Operation[]): string =>
	history.map(writeJsonLine).join("");

/** Throws HistoryError where a line is no operation. Empty lines are passed over. */
export function readJsonl(text: string): readonly Operation[] {
	return text.split("\n").flatMap((line, i) => {
		if (line.trim() === "") return [];
		let read: Value;
		try {
			read = JSON.parse(line) as Value;
		} catch (error) {
			throw new HistoryError(i + 1, (error as Error).message);
		}
		return [toOperation(i + 1, read)];
	});
}
