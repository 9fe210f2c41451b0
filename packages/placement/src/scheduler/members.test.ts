import { nodeId } from "@quorate/keys/ids";
import { parseLocality } from "@quorate/keys/locality";
import test from "ava";
import fc from "fast-check";
import { wantedMembers } from "./members.ts";
import type { NodeView } from "./view.ts";

const node = (
	id: number,
	standing: NodeView["standing"] = "live",
	isUp = true,
	locality = "",
): NodeView => ({
	nodeId: nodeId(id),
	standing,
	isUp,
	locality: parseLocality(locality)!,
});

const ids = (count: number) => Array.from({ length: count }, (_, i) => nodeId(i + 1));

test("one, three or five members, as there are nodes", (t) => {
	const sizes = [1, 2, 3, 4, 5, 6, 9].map((count) => {
		const nodes = ids(count).map((id) => node(id));
		return wantedMembers(nodes, [nodeId(1)]).length;
	});
	t.deepEqual(sizes, [1, 1, 3, 3, 5, 5, 5]);
});

test("a member that is dead is replaced, one that is silent is not", (t) => {
	const present = ids(3);
	const silent = [node(1), node(2), node(3, "silent", false), node(4)];
	t.deepEqual(wantedMembers(silent, present), present);
	const dead = [node(1), node(2), node(3, "leaving", false), node(4)];
	t.deepEqual(wantedMembers(dead, present), [1, 2, 4].map(nodeId));
});

test("of three, two stay members with a third that is gone; five become three", (t) => {
	const three = [node(1), node(2), node(3, "leaving", false)];
	t.deepEqual(wantedMembers(three, ids(3)), ids(3));
	const five = [1, 2, 3, 4].map((id) => node(id));
	const four = wantedMembers([...five, node(5, "leaving", false)], ids(5));
	t.is(four.length, 3);
	t.false(four.includes(nodeId(5)));
});

test("what is wanted stays wanted, and is the same in whatever order nodes are told", (t) => {
	const standings = fc.constantFrom("live" as const, "silent" as const, "leaving" as const);
	fc.assert(
		fc.property(
			fc.array(standings, { minLength: 1, maxLength: 9 }),
			fc.constantFrom(1, 3, 5),
			(list, size) => {
				const nodes = list.map((s, i) => node(i + 1, s, s === "live"));
				const present = ids(
					Math.min(size, nodes.length % 2 === 0 ? nodes.length - 1 : nodes.length),
				);
				const wanted = wantedMembers(nodes, present);
				if (wanted.length % 2 === 0) throw new Error(`${wanted.length} members`);
				const again = wantedMembers([...nodes].reverse(), wanted);
				if (`${again}` !== `${wanted}`) throw new Error(`${wanted}, then ${again}`);
			},
		),
		{ numRuns: 500, seed: 1 },
	);
	t.pass();
});
