import { DatabaseError } from "@quorate/keys/database-error";
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import type { Disk, Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { restoreSpan } from "../catalog/keys.ts";
import { between, cell } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";
import { testRuntime } from "../testing/test-runtime.ts";

const limits = { backupFileBytes: 300, restoreBatchRows: 5 };
const directory = "/var/backups/one";
const backup = `backup database quorate to '${directory}'`;
const restore = `restore database quorate from '${directory}'`;

/** Whoever is at a job tells at once. */
const { scheduler } = testRuntime();
const parts: Partial<Runtime> = {
	scheduler: {
		...scheduler,
		setTimer: (ms, task) => scheduler.setTimer(ms === 3_000 ? 0 : ms, task),
	},
};

async function table(client: TestClient): Promise<void> {
	await client.query("create table a (id int primary key, v text)");
	await client.query("insert into a select i, 'v' || i from generate_series(1, 60) i");
}

async function backedUp(files: Disk): Promise<void> {
	const client = await testServer({ files, limits }).connect();
	await table(client);
	await client.query(backup);
}

/** What a restore has begun, and keeps. */
async function begun({ coordinator }: TestServer): Promise<number> {
	const transaction = coordinator.begin({
		...{ isolation: "repeatable read", mode: "optimistic", readOnly: true },
		...{ lockTimeoutMs: 0, schemaVersion: coordinator.issueNow().schemaVersion },
	});
	let found = 0;
	for await (const page of transaction.scan(restoreSpan)) found += page.length;
	await transaction.rollback();
	return found;
}

test("CANCEL JOB of a restore leaves nothing of it", async (t) => {
	const files = new MemoryDisk();
	await backedUp(files);
	const server = testServer({ files, seed: 2, limits, parts });
	const [client, other] = [await server.connect(), await server.connect()];
	await client.query("create role somebody login");
	const somebody = await server.connect({ user: "somebody" });
	let id = "";
	between(server, async (step) => {
		if (step < 5) return false;
		let job: readonly (string | null)[] = [];
		do {
			await scheduler.yield();
			[job = []] = await other.rows("show jobs");
		} while (Number(job[5]) === 0);
		const [jobId, kind, of, object, state, , total, started, node] = job;
		t.deepEqual(
			[kind, of, object, state, total, node],
			["RESTORE", null, directory, "running", "60", "1"],
		);
		t.regex(started!, /^\d{4}-/);
		id = jobId!;
		t.deepEqual(await somebody.rows("show jobs"), []);
		t.regex(await somebody.error(`cancel job ${id}`), /^42501 permission denied to cancel backups/);
		t.is(await begun(server), 1);
		t.is(await other.tag(`cancel job ${id}`), "CANCEL JOB");
		return true;
	});
	t.is(await client.error(restore), `57014 canceling statement due to CANCEL JOB ${id}`);
	t.deepEqual(await client.rows("show jobs"), []);
	t.regex(await client.error("select * from a"), /^42P01/);
	t.is(await begun(server), 0);
	t.is(await other.error(`cancel job ${id}`), `42704 job ${id} does not exist`);
	// Its rows go as those of what was dropped do.
	server.coordinator.gcThreshold = server.coordinator.issueNow().timestamp;
	t.false(await server.clearDropped());
	await client.query(restore);
	t.deepEqual(client.sink.notices, [], "it begins anew");
	t.deepEqual(await client.rows("select count(*), sum(id) from a"), [["60", "1830"]]);
	t.deepEqual(await client.rows("show jobs"), []);
});

test("an interrupted restore is shown, goes on under its number, and can be given up", async (t) => {
	const files = new MemoryDisk();
	await backedUp(files);
	for (const isGivenUp of [false, true]) {
		const server = testServer({ files, seed: 3, limits });
		const client = await server.connect();
		let batches = 0;
		server.coordinator.beforeCommit = (mode) => {
			if (mode === "optimistic" && ++batches === 5) throw new DatabaseError("53100", "full");
		};
		t.is(await client.error(restore), "53100 full");
		const [job] = await client.rows("show jobs");
		t.deepEqual([job![1], job![4], job![6]], ["RESTORE", "interrupted", "60"]);
		t.true(Number(job![5]) > 0);
		t.is(await begun(server), 1);
		if (isGivenUp) {
			await client.query(`cancel job ${job![0]}`);
			t.is(await begun(server), 0);
		} else {
			between(server, async () => {
				t.deepEqual((await client2.rows("show jobs"))[0]?.slice(0, 5), [
					...job!.slice(0, 4),
					"running",
				]);
				return true;
			});
		}
		const client2 = await server.connect();
		await client.query(restore);
		t.is(client.sink.notices.length, isGivenUp ? 0 : 1);
		t.is(await cell(client, "select count(*) from a"), "60");
		t.deepEqual(await client.rows("show jobs"), []);
	}
});

/** Before the n-th file is written. */
function beforeFile(disk: Disk, n: number, act: () => Promise<void>): Disk {
	let left = n;
	return new Proxy(disk, {
		get: (target, name) => {
			const value = Reflect.get(target, name) as unknown;
			if (typeof value !== "function") return value;
			if (name !== "replace") return value.bind(target) as unknown;
			return async (path: string, bytes: Uint8Array) => {
				if (--left === 0) await act();
				return target.replace(path, bytes);
			};
		},
	});
}

test("CANCEL JOB of a backup: what is there is gone on with", async (t) => {
	const plain = new MemoryDisk();
	let id = "";
	const files = beforeFile(plain, 4, async () => {
		const [job] = await other.rows("show jobs");
		t.deepEqual(job?.slice(1, 5), ["BACKUP", null, directory, "running"]);
		id = job![0]!;
		await other.query(`cancel job ${id}`);
	});
	const server = testServer({ files, limits });
	const [client, other] = [await server.connect(), await server.connect()];
	await table(client);
	t.is(await client.error(backup), `57014 canceling statement due to CANCEL JOB ${id}`);
	t.deepEqual(await client.rows("show jobs"), []);
	t.regex(await client.error(restore), /^58P01 there is no finished backup/);
	await client.query(backup);
	t.regex(client.sink.notices[0]!.message, /is gone on with: \d+ files are there/);
	t.deepEqual(await client.rows("show jobs"), []);
});

test("a cluster that has no room for the job's row is backed up", async (t) => {
	const server = testServer({ files: new MemoryDisk(), limits });
	const client = await server.connect();
	await table(client);
	server.coordinator.beforeCommit = () => {
		throw new DatabaseError("53100", "full");
	};
	t.regex((await client.tag(backup))!, /^BACKUP \d+$/);
});
