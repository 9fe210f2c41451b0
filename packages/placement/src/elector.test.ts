import test from "ava";
import { Elector } from "./elector.ts";
import { TestDisk, TestProcess, TestWorld } from "./testing/test-world.ts";

const list = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"];
const probe = { address: list[0]!, list };
const one = "1".repeat(32);
const two = "2".repeat(32);

function makeElector() {
	const world = new TestWorld(1);
	const process = new TestProcess(world, list[1]!, new TestDisk());
	const elector = new Elector(process.runtime, list, list[1]!, undefined);
	/** Lets virtual time pass until the step is done. */
	const settle = async <T>(step: Promise<T>): Promise<T> => {
		let isDone = false;
		void step.finally(() => {
			isDone = true;
		});
		await world.run(1e9, () => isDone);
		return step;
	};
	return { elector, settle };
}

test("only the convener with the same list gets a ticket, and only the last one counts", async (t) => {
	const { elector, settle } = makeElector();
	t.is((await settle(elector.answer({ address: list[2]!, list }))).ticket, "");
	t.is((await settle(elector.answer({ address: list[0]!, list: [list[0]!] }))).ticket, "");
	const old = (await settle(elector.answer(probe))).ticket;
	const ticket = (await settle(elector.answer(probe))).ticket;
	t.false(await settle(elector.accept({ clusterId: one, list, ticket: old })));
	t.false(await settle(elector.accept({ clusterId: one, list, ticket: "" })));
	t.false(await settle(elector.accept({ clusterId: "../x", list, ticket })));
	t.true(await settle(elector.accept({ clusterId: one, list, ticket })));
	t.is(elector.stored?.nodeId as number, 2);
	t.true(await settle(elector.accept({ clusterId: two, list, ticket })));
	t.is(elector.stored?.clusterId as string, two);
});

test("a promise becomes an identity only by an answer that no later ticket has voided", async (t) => {
	const { elector, settle } = makeElector();
	const { ticket } = await settle(elector.answer(probe));
	await settle(elector.accept({ clusterId: one, list, ticket }));
	const generation = elector.generation;
	await settle(elector.answer(probe));
	t.is(await settle(elector.form(one, generation)), undefined);
	t.is(await settle(elector.form(two, elector.generation)), undefined);
	t.is((await settle(elector.form(one, elector.generation)))?.phase, "formed");
});

test("F1: who is formed promises nothing any more", async (t) => {
	const { elector, settle } = makeElector();
	const first = await settle(elector.answer(probe));
	await settle(elector.accept({ clusterId: one, list, ticket: first.ticket }));
	await settle(elector.form(one, elector.generation));
	const again = await settle(elector.answer(probe));
	t.is(again.phase, "formed");
	t.false(await settle(elector.accept({ clusterId: two, list, ticket: again.ticket })));
	t.is(elector.stored?.clusterId as string, one);
});

test("who agreed without being a founder does not become one", async (t) => {
	const pair = list.slice(0, 2);
	const world = new TestWorld(2);
	const process = new TestProcess(world, pair[1]!, new TestDisk());
	const elector = new Elector(process.runtime, pair, pair[1]!, undefined);
	let formed: unknown = "pending";
	void (async () => {
		const { ticket } = await elector.answer({ address: pair[0]!, list: pair });
		await elector.accept({ clusterId: one, list: pair, ticket });
		formed = await elector.form(one, elector.generation);
	})();
	await world.run(1000);
	t.is(elector.stored?.nodeId as number, 0);
	t.is(formed, undefined);
});
