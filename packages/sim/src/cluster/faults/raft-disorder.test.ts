import { encodeMessage } from "@quorate/rpc/codec";
import * as messages from "@quorate/rpc/messages";
import test from "ava";
import { SeededRandom } from "../../runtime/seeded-random.ts";
import { RaftDisorder } from "./raft-disorder.ts";

const raft = (n: number): Uint8Array => encodeMessage([messages.SEND, "raft", [1, [n]]]);
const others: readonly Uint8Array[] = [
	encodeMessage([messages.CALL, 7, "range", [1]]),
	encodeMessage([messages.ANSWER, 7, "raft"]),
	encodeMessage([messages.SEND, "unlock", "raft"]),
	encodeMessage([messages.PING]),
];

test("Raft's messages are copied and held back, all others left as they are", (t) => {
	const random = new SeededRandom(1, "disorder");
	const options = { copied: 0.3, heldBack: 0.3, delayMsMean: 10 };
	const disorder = new RaftDisorder(random, options);
	let [copies, heldBack, untouched] = [0, 0, 0];
	for (let n = 0; n < 300; n++) {
		const written = Buffer.concat([others[0]!, raft(n), ...others.slice(1)]);
		const { now, later } = disorder.of(written);
		if (later.length === 0) {
			untouched++;
			t.deepEqual(Buffer.from(now), written);
			continue;
		}
		t.is(later.length, 1);
		t.deepEqual(Buffer.from(later[0]!.bytes), Buffer.from(raft(n)));
		t.true(later[0]!.delayMs >= 0);
		if (later[0]!.isCopy) {
			copies++;
			t.deepEqual(Buffer.from(now), written);
		} else {
			heldBack++;
			t.deepEqual(Buffer.from(now), Buffer.concat(others));
		}
	}
	t.true(copies > 60 && heldBack > 60 && untouched > 60, `${copies} ${heldBack} ${untouched}`);
});
