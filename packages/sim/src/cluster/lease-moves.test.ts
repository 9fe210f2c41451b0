/** Leases that move while rows are locked. A move fails nobody: who has locks keeps them, and gives them back where they are now. */
import {
	activeVersion,
	isActive,
	ownVersions,
	versionSetting,
} from "@quorate/keys/cluster-version";
import type { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import test from "ava";
import { accounts, checkBalance, Lab, rowKeys, transfers } from "./lab.ts";

const rows = 12;

async function started(seed: number, newest = ownVersions.newest): Promise<Lab> {
	const lab = new Lab(seed, {});
	for (const node of lab.cluster.nodes) node.versions = { ...ownVersions, newest };
	await lab.start(9, ...accounts(rows));
	const isReached = () =>
		lab.cluster.serving().every((n) => activeVersion(n.placement.settings().values) === newest);
	await lab.run(() => lab.cluster.until("that version", 60_000, isReached));
	return lab;
}

const leaseholderOf = (lab: Lab, k: Key) =>
	lab.cluster.serving().find((n) => n.store.replicaFor(k)?.holding() === true);

/** To another node than the one that has it. */
async function move(lab: Lab, k: Key): Promise<boolean> {
	const from = leaseholderOf(lab, k)?.nodeId;
	const others = lab.cluster.serving().filter((n) => n.nodeId !== from);
	const to = lab.cluster.world.random("taker").pick(others);
	const moved = await lab.cluster.administer("lease", (n) => n.coordinator.moveLease(k, to.nodeId));
	return moved && lab.cluster.until("it leads", 5_000, () => leaseholderOf(lab, k) === to);
}

const lockCount = (lab: Lab): number =>
	lab.cluster.serving().reduce((sum, n) => sum + n.store.lockReport().locks.length, 0);

test.serial("who has locked a row keeps it, and who waits goes on waiting", async (t) => {
	for (let seed = 1; seed <= 3; seed++) {
		const lab = await started(seed);
		const [holder, waiter] = [lab.connections[0]!, lab.connections[1]!];
		await lab.run(async () => {
			const k = rowKeys(lab)[1]!;
			await holder.query("BEGIN");
			await holder.query("SELECT n FROM account WHERE id = 1 FOR UPDATE");
			let isThrough = false;
			const waiting = lab
				.attempt(waiter, ["BEGIN", "UPDATE account SET n = n * 2 WHERE id = 1", "COMMIT"])
				.then(() => {
					isThrough = true;
				});
			for (let moves = 0; moves < 2; moves++) {
				// Longer than a range may be unavailable: that it waits for a lock is no reason to give up.
				await lab.cluster.world.sleep(11_000);
				t.true(await move(lab, k));
				await lab.cluster.world.sleep(1_000);
				t.false(isThrough, `seed ${seed}, move ${moves}`);
			}
			await holder.query("UPDATE account SET n = 3 WHERE id = 1");
			await holder.query("COMMIT");
			await waiting;
			t.deepEqual(await lab.rows("SELECT n FROM account WHERE id = 1"), [["6"]]);
		});
		t.deepEqual(lab.codes, []);
		t.deepEqual(lab.cluster.problems, []);
	}
});

test.serial("who ends while its lock is on its way leaves nothing behind", async (t) => {
	const lab = await started(4);
	const random = lab.cluster.world.random("pause");
	await lab.run(async () => {
		const k = rowKeys(lab)[1]!;
		for (let round = 0; round < 20; round++) {
			const holder = lab.connections[round % 3]!;
			await holder.query("BEGIN");
			await holder.query("SELECT n FROM account WHERE id = 1 FOR UPDATE");
			const moving = move(lab, k);
			await lab.cluster.world.sleep(random.below(30));
			await holder.query("ROLLBACK");
			t.true(await moving);
			// Nobody waits for it, so nobody asks for it.
			await lab.cluster.until(`no lock is left of ${round}`, 500, () => lockCount(lab) === 0);
		}
	});
	t.deepEqual(lab.cluster.problems, []);
});

test.serial(
	"a circle that closes while the lease is on its way costs one of them, and soon",
	async (t) => {
		const lab = await started(8);
		const [one, other] = [lab.connections[0]!, lab.connections[1]!];
		const update = (id: number) => `UPDATE account SET n = n + 1 WHERE id = ${id}`;
		await lab.run(async () => {
			const k = rowKeys(lab)[1]!;
			for (const [connection, id] of [
				[one, 1],
				[other, 2],
			] as const) {
				await connection.query("BEGIN");
				await connection.query(update(id));
			}
			const waits = [lab.attempt(one, [update(2), "COMMIT"])];
			await lab.cluster.world.sleep(200);
			const moving = move(lab, k);
			waits.push(lab.attempt(other, [update(1), "COMMIT"]));
			t.true(await moving);
			const fromMs = lab.cluster.world.nowMs;
			await Promise.all(waits);
			t.true(lab.cluster.world.nowMs - fromMs < 1_000);
			t.deepEqual(await lab.rows("SELECT sum(n) FROM account"), [["2"]]);
		});
		t.is(lab.codes.length, 1);
		t.regex(lab.codes[0]!, /^40P01 /);
		t.deepEqual(lab.cluster.problems, []);
	},
);

test.serial(
	"where older builds may take part no locks go along, and nothing else is different",
	async (t) => {
		let { newest } = ownVersions;
		while (isActive(new Map([[versionSetting, `${newest}`]]), "lockTransfer")) newest--;
		const lab = await started(9, newest);
		const [holder] = lab.connections;
		await lab.run(async () => {
			const k = rowKeys(lab)[1]!;
			await holder!.query("BEGIN");
			await holder!.query("SELECT n FROM account WHERE id = 1 FOR UPDATE");
			t.is(lockCount(lab), 1);
			t.true(await move(lab, k));
			t.is(lockCount(lab), 0);
			await holder!.query("UPDATE account SET n = 3 WHERE id = 1");
			await holder!.query("COMMIT");
			t.deepEqual(await lab.rows("SELECT n FROM account WHERE id = 1"), [["3"]]);
		});
		t.deepEqual(lab.cluster.problems, []);
	},
);

test.serial(
	"a lease is not given away where no timestamp can be had: it would serve nobody meanwhile",
	async (t) => {
		const lab = await started(10);
		const { cluster } = lab;
		const k = rowKeys(lab)[1]!;
		const oracle = cluster.nodes.find((n) => n.keyValue?.placement.calls.leader === n.nodeId)!;
		if (leaseholderOf(lab, k)?.nodeId === oracle.nodeId) t.true(await lab.run(() => move(lab, k)));
		const holder = cluster.nodes.find((n) => n.nodeId === leaseholderOf(lab, k)?.nodeId)!;
		const taker = cluster.nodes.find((n) => n !== holder && n !== oracle)!;
		const replica = holder.keyValue!.store.replicaFor(k)!;
		cluster.world.network.partition([holder.machine], [oracle.machine]);
		let outcome: string | undefined;
		const note = (is: string): void => {
			outcome = is;
		};
		void replica.transferLease(taker.nodeId).then(
			() => note("moved"),
			(error: DatabaseError) => note(error.code),
		);
		const isTried = cluster.until("it has been tried", 10_000, () => {
			t.true(replica.holding());
			return outcome !== undefined;
		});
		await lab.run(() => isTried);
		t.is(outcome, "57P03");
		cluster.world.network.heal();
		const read = () => lab.rows("SELECT n FROM account WHERE id = 1");
		t.deepEqual(await lab.run(read), [["0"]]);
		t.deepEqual(cluster.problems, []);
	},
);

test.serial("transactions that wait for each other go on while leases move", async (t) => {
	for (let seed = 5; seed <= 6; seed++) {
		const lab = await started(seed);
		let isOver = false;
		const load = transfers(lab, rows, () => !isOver);
		await lab.run(async () => {
			const keys = rowKeys(lab);
			for (let moves = 0; moves < 15; moves++) {
				await lab.cluster.world.sleep(200);
				t.true(await move(lab, keys[5]!));
			}
			isOver = true;
			await load;
		});
		await checkBalance(t, lab);
	}
});

test.serial("whoever asks while a lease moves waits for a moment only", async (t) => {
	const lab = await started(7);
	const waitsMs: number[] = [];
	const random = lab.cluster.world.random("ids");
	let isOver = false;
	const load = lab.connections.map(async (connection) => {
		while (!isOver) {
			const before = lab.cluster.world.nowMs;
			await connection.query(`UPDATE account SET n = n + 1 WHERE id = ${random.below(rows)}`);
			waitsMs.push(lab.cluster.world.nowMs - before);
		}
	});
	await lab.run(async () => {
		const [k] = rowKeys(lab);
		for (let moves = 0; moves < 3; moves++) {
			await lab.cluster.world.sleep(100);
			t.true(await move(lab, k!));
		}
		isOver = true;
		await Promise.all(load);
	});
	const worst = waitsMs.reduce((a, b) => Math.max(a, b), 0);
	t.log(`${waitsMs.length} updates, the slowest ${worst.toFixed(0)} virtual ms`);
	t.true(worst < 500);
	t.deepEqual(lab.cluster.problems, []);
});
