import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import type { ExecRow } from "../execute/env.ts";
import { Cursor } from "./cursor.ts";

/** Rows 1 to `count` in batches of 100, and how many were asked for. */
function source(count: number) {
	const state = { read: 0, closed: false };
	const next = (): readonly ExecRow[] | undefined => {
		if (state.read === count) return undefined;
		const rows = Array.from({ length: 100 }, (_, i) => [state.read + i + 1]);
		state.read += 100;
		return rows;
	};
	const close = (): void => {
		state.closed = true;
	};
	return { state, next, close };
}

const cursorOver = (
	rows: ReturnType<typeof source>,
	scroll: boolean | undefined,
	memoryLimit = 1_000_000,
): Cursor =>
	new Cursor(
		{
			name: "c",
			columns: [],
			scroll,
			hold: false,
			binary: false,
			statement: "",
			since: 0n,
			memoryLimit,
		},
		rows,
	);

async function taken(
	cursor: Cursor,
	way: "forward" | "backward" | "absolute",
	count: number | "all",
): Promise<unknown[]> {
	const out: unknown[] = [];
	for await (const batch of cursor.fetch({ way, count })) out.push(...batch.flat());
	return out;
}

test("it reads no further than it is asked to", async (t) => {
	const rows = source(1000);
	const cursor = cursorOver(rows, undefined);
	t.is(rows.state.read, 0);
	t.deepEqual(await taken(cursor, "forward", 3), [1, 2, 3]);
	t.is(rows.state.read, 100);
	await cursor.close();
	t.true(rows.state.closed);
});

test("without SCROLL it takes little memory, however many rows there are", async (t) => {
	const cursor = cursorOver(source(100_000), undefined, 200_000);
	let seen = 0;
	for (;;) {
		const rows = await taken(cursor, "forward", 1500);
		if (rows.length === 0) break;
		seen += rows.length;
	}
	t.is(seen, 100_000);
	t.is((await taken(cursor, "backward", 500)).at(-1), 99_501);
	const error = await t.throwsAsync(taken(cursor, "absolute", 1), { instanceOf: DatabaseError });
	t.is(error?.code, "55000");
});

test("what SCROLL keeps, and what is read ahead, is bounded", async (t) => {
	const scrolling = cursorOver(source(100_000), true, 200_000);
	const error = await t.throwsAsync(taken(scrolling, "forward", "all"), {
		instanceOf: DatabaseError,
	});
	t.is(error?.code, "53200");
	const settled = await t.throwsAsync(cursorOver(source(100_000), false, 200_000).settle(), {
		instanceOf: DatabaseError,
	});
	t.is(settled?.code, "53200");
});
