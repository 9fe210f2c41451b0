import test from "ava";
import { checkUniqueIds } from "./unique-ids.ts";

test("what was handed out twice is found", (t) => {
	t.true(checkUniqueIds([3, 1, 2]).valid);
	t.deepEqual(checkUniqueIds(["a", "b", "a", "a"]).duplicates, [["a", 3]]);
	t.false(checkUniqueIds([]).valid);
});
