/** Errors and notices as psql prints them, with a caret under the place in the statement. */
import type { ServerMessage } from "./pg-client.ts";
import { displayWidth } from "./table-format.ts";

/** A longer line is shown as the part around the caret. */
const shownColumnsMax = 100;

export function formatMessage(message: ServerMessage, statement?: string): string[] {
	const lines = [`${message.severity}:  ${message.message}`];
	if (statement !== undefined && message.position !== undefined) {
		lines.push(...pointAt(statement, message.position));
	}
	if (message.detail !== undefined) {
		lines.push(`DETAIL:  ${message.detail}`);
	}
	if (message.hint !== undefined) {
		lines.push(`HINT:  ${message.hint}`);
	}
	return lines;
}

/** `position` counts characters from 1. */
function pointAt(statement: string, position: number): string[] {
	const chars = [...statement];
	if (position < 1 || position > chars.length + 1) {
		return [];
	}
	const before = chars.slice(0, position - 1).join("");
	const lineNumber = before.split("\n").length;
	const line = [...(statement.split("\n")[lineNumber - 1] ?? "")].map((c) =>
		c === "\t" ? " " : c,
	);
	const column = [...before.slice(before.lastIndexOf("\n") + 1)].length;
	const start = Math.max(0, Math.min(column - 60, line.length - shownColumnsMax));
	const shown = line.slice(start, start + shownColumnsMax);
	const prefix = `LINE ${lineNumber}: ${start > 0 ? "..." : ""}`;
	const suffix = start + shownColumnsMax < line.length ? "..." : "";
	const indent = displayWidth(prefix) + displayWidth(line.slice(start, column).join(""));
	return [`${prefix}${shown.join("")}${suffix}`, `${" ".repeat(indent)}^`];
}
