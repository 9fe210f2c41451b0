import { readFileSync } from "node:fs";
import test from "ava";
import { allocatorSettings, launcher } from "./node-program.ts";

test("a node that is started from a shell has the settings of one that a program starts", (t) => {
	const [first] = readFileSync(launcher, "utf8").split("\n", 1);
	t.is(first, ["#!/usr/bin/env -S", ...allocatorSettings, "node"].join(" "));
});
