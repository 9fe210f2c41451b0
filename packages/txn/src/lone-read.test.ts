/** Who draws the timestamp of a row that is read by itself, where another node leads its range. */
import type { NodeId } from "@quorate/keys/ids";
import { type Key, key } from "@quorate/keys/key";
import { timestamp } from "@quorate/keys/timestamp";
import type { RangeAnswer, RangeRequestBody } from "@quorate/replica/requests";
import test from "ava";
import type { Gateway } from "./gateway.ts";
import { readAlone } from "./lone-read.ts";
import { judgedReads, ReadSpread } from "./read-spread.ts";
import type { CancelSignal } from "./types.ts";

const cancel: CancelSignal = { reason: undefined, onCancel: () => () => {} };
const value = Uint8Array.of(7);

/** The leaseholder of a key is the node that its first character says; `asked`: what timestamp each of them was asked for. */
function gatewayOf(answer: (s: unknown) => RangeAnswer) {
	const asked: unknown[] = [];
	let drawn = 100;
	const draw = () => Promise.resolve({ timestamp: ++drawn, schemaVersion: 3 });
	const request = async (_: Key, body: RangeRequestBody): Promise<RangeAnswer> => {
		const { s } = body as Extract<RangeRequestBody, { kind: "read" }>;
		asked.push(s);
		return answer(s);
	};
	const gateway = {
		readSpread: new ReadSpread(),
		router: {
			cachedRangeOf: (k: Key) => ({ leaseholder: Number(k[0]) as NodeId }),
			here: () => undefined,
			request,
		},
		placement: { issue: draw, observe: () => {} },
		statistics: { readOnlyCommits: 0 },
	} as unknown as Gateway;
	const read = (k: string) => readAlone(gateway, key(k), cancel);
	return { read, asked };
}

const values = (s: unknown): RangeAnswer =>
	s === null
		? ({
				kind: "values",
				values: [value],
				drawn: { timestamp: timestamp(50), schemaVersion: 2 },
			} as const)
		: { kind: "values", values: [value] };

test("the leaseholder draws it where it leads what is read, this node where several lead it", async (t) => {
	const { read, asked } = gatewayOf(values);
	t.deepEqual((await read("2a")) as unknown, { value, timestamp: 50, schemaVersion: 2 });
	for (let n = 1; n < judgedReads; n++) await read(`${2 + (n % 2)}a`);
	t.is(asked.at(-2), null);
	const found = await read("3b");
	t.is(asked.at(-1), found?.timestamp);
	t.is(found?.schemaVersion, 3);
	for (let n = 1; n < judgedReads; n++) await read("2a");
	await read("2a");
	t.is(asked.at(-1), null);
});

test("whoever was not told the value has read nothing", async (t) => {
	const { read, asked } = gatewayOf(() => ({ kind: "stale", ranges: [] }));
	for (let n = 0; n <= judgedReads; n++) t.is(await read(`${2 + (n % 2)}a`), undefined);
	t.is(typeof asked.at(-1), "number");
});
