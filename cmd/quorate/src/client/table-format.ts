/** Results as psql prints them: aligned columns, a header, the row count. */
import type { QueryResult } from "./pg-client.ts";

/** Numbers stand to the right: int8, int2, int4, oid, xid, cid, float4, float8, money, numeric. */
const rightAligned: ReadonlySet<number> = new Set([20, 21, 23, 26, 28, 29, 700, 701, 790, 1700]);

/** Lines without their ends; for a result without rows to return, the command tag. */
export function formatResult(result: QueryResult): string[] {
	const { fields, rows } = result;
	if (fields === undefined) {
		return result.tag === "" ? [] : [result.tag];
	}
	const cells = rows.map((row) => row.map((value) => (value ?? "").split("\n")));
	const widths = fields.map((field, column) =>
		cells.reduce(
			(width, row) => Math.max(width, ...row[column]!.map(displayWidth)),
			displayWidth(field.name),
		),
	);
	const lines = [
		fields.map((field, column) => ` ${center(field.name, widths[column]!)} `).join("|"),
		widths.map((width) => "-".repeat(width + 2)).join("+"),
	];
	const right = fields.map((field) => rightAligned.has(field.dataTypeID));
	for (const row of cells) {
		lines.push(...formatRow(row, widths, right));
	}
	lines.push(`(${rows.length} ${rows.length === 1 ? "row" : "rows"})`);
	return lines;
}

/** A value of several lines continues below, marked with a +. */
function formatRow(
	row: readonly (readonly string[])[],
	widths: readonly number[],
	right: readonly boolean[],
): string[] {
	const height = Math.max(1, ...row.map((cell) => cell.length));
	const lines: string[] = [];
	for (let line = 0; line < height; line++) {
		const last = row.length - 1;
		const parts = row.map((cell, column) => {
			const text = cell[line] ?? "";
			const padding = " ".repeat(widths[column]! - displayWidth(text));
			const more = line + 1 < cell.length ? "+" : " ";
			const padded = right[column] ? padding + text : text + padding;
			return column === last && more === " " && !right[column] ? ` ${text}` : ` ${padded}${more}`;
		});
		lines.push(right[last] ? parts.join("|").replace(/ $/, "") : parts.join("|"));
	}
	return lines;
}

function center(text: string, width: number): string {
	const padding = width - displayWidth(text);
	const left = Math.floor(padding / 2);
	return " ".repeat(left) + text + " ".repeat(padding - left);
}

/** Columns on a terminal: none for combining marks, two for East Asian wide characters and emoji. */
export function displayWidth(text: string): number {
	let width = 0;
	for (const char of text) {
		if (!/\p{Mark}|\p{Cf}/u.test(char)) {
			width += isWide(char.codePointAt(0)!) ? 2 : 1;
		}
	}
	return width;
}

const isWide = (code: number): boolean =>
	(code >= 0x1100 && code <= 0x115f) ||
	(code >= 0x2e80 && code <= 0xa4cf) ||
	(code >= 0xac00 && code <= 0xd7a3) ||
	(code >= 0xf900 && code <= 0xfaff) ||
	(code >= 0xfe30 && code <= 0xfe6f) ||
	(code >= 0xff00 && code <= 0xff60) ||
	(code >= 0xffe0 && code <= 0xffe6) ||
	(code >= 0x1f300 && code <= 0x1faff) ||
	(code >= 0x20000 && code <= 0x3fffd);
