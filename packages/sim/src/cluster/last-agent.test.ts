/** A commit in two ranges: what its last agent is asked, and what where it cannot do it. */
import { key } from "@quorate/keys/key";
import test from "ava";
import { rowsOf, type Script, scripts, startCast, stepsOf } from "./crash-matrix.ts";

const many: Script = {
	mode: "optimistic",
	run: async (t, value) => {
		for (const k of [...rowsOf("anchor"), rowsOf("participant")[0]!]) t.put(k, value());
	},
	untouched: rowsOf("participant").slice(1),
	survives: false,
};

test.serial("one message prepares, one does the rest and decides, one resolves", async (t) => {
	const cast = await startCast(21);
	t.deepEqual(await stepsOf(cast, scripts["two phases"]), [
		"prepare participant",
		"one-phase anchor",
		"resolve participant",
	]);
	t.deepEqual(cast.cluster.problems, []);
});

test.serial("a last agent whose range is divided meanwhile prepares like the others", async (t) => {
	const cast = await startCast(22);
	const { cluster, gateway, participant } = cast;
	const link = cluster.world.network.link(gateway.machine, participant.machine);
	link.latencyMsMin = 500;
	const divided = cluster.splitAt([key("a3")]);
	const steps = await stepsOf(cast, many);
	t.true(await divided);
	t.deepEqual(steps.slice(0, 2), ["prepare participant", "one-phase anchor"]);
	t.is(steps.filter((step) => step === "prepare anchor").length, 2);
	t.is(steps.filter((step) => step === "commit anchor").length, 1);
	t.deepEqual(cluster.problems, []);
});
