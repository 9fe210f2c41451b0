/** Damage to the files of a backup: whatever is changed, cut, missing or mixed up is noticed before anything is restored. */
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import test from "ava";
import { testServer } from "../testing/test-client.ts";

const directory = "/b";
const limits = { backupFileBytes: 200, restoreBatchRows: 5 };
const statement = `restore database quorate from '${directory}'`;

/** A full and an incremental backup, by the names of their files. */
async function someBackup(seed = 1): Promise<Map<string, Uint8Array>> {
	const files = new MemoryDisk();
	const client = await testServer({ files, seed, limits }).connect();
	await client.query("create table a (id int primary key, v text)");
	await client.query("insert into a select x, 'v' || x from generate_series(1, 20) as s (x)");
	await client.query(`backup database quorate to '${directory}'`);
	await client.query("delete from a where id < 5; update a set v = 'new' where id > 15");
	await client.query(`backup database quorate to '${directory}' incremental`);
	const found = new Map<string, Uint8Array>();
	for (const name of await files.list("b")) {
		found.set(name, (await files.readWhole(`b/${name}`))!);
	}
	return found;
}

async function diskWith(found: ReadonlyMap<string, Uint8Array>): Promise<MemoryDisk> {
	const files = new MemoryDisk();
	for (const [name, bytes] of found) await files.replace(`b/${name}`, bytes);
	return files;
}

/** What RESTORE and SHOW BACKUP say, and that nothing came of it. */
async function refusal(found: ReadonlyMap<string, Uint8Array>): Promise<string> {
	const client = await testServer({ files: await diskWith(found), seed: 2, limits }).connect();
	const said = await client.error(statement);
	const shown = await client.error(`show backup '${directory}'`);
	const left = await client.rows("select relname from pg_class where relname = 'a'");
	if (said !== shown) return `RESTORE: ${said}, SHOW: ${shown}`;
	return left.length === 0 ? said : `${said}, and a table`;
}

test("a changed byte, wherever it is", async (t) => {
	const whole = await someBackup();
	t.true(whole.size >= 6);
	for (const [name, bytes] of whole) {
		// All of the envelope, and places in the rest.
		const step = Math.max(1, Math.floor(bytes.length / 12));
		const places = new Set([...Array(16).keys()]);
		for (let at = 16; at < bytes.length; at += step) places.add(at);
		places.add(bytes.length - 1);
		for (const at of places) {
			const changed = Buffer.from(bytes);
			changed[at]! ^= 1 << (at % 8);
			const said = await refusal(new Map(whole).set(name, changed));
			t.is(said, `XX001 file "${name}" of the backup is damaged`, `byte ${at}`);
		}
	}
});

test("a file that was cut, or has something behind it, or is gone", async (t) => {
	const whole = await someBackup();
	for (const [name, bytes] of whole) {
		const damaged = `XX001 file "${name}" of the backup is damaged`;
		for (const length of [0, 3, 15, 16, 17, bytes.length >> 1, bytes.length - 1]) {
			t.is(await refusal(new Map(whole).set(name, bytes.subarray(0, length))), damaged);
		}
		const longer = Buffer.concat([bytes, Buffer.from("x")]);
		t.is(await refusal(new Map(whole).set(name, longer)), damaged);
		const without = new Map(whole);
		without.delete(name);
		t.is(await refusal(without), damaged);
	}
});

test("files of another backup, each whole by itself", async (t) => {
	const [whole, other] = [await someBackup(), await someBackup(3)];
	const data = [...whole.keys()].filter((name) => name.endsWith(".data"));
	const [first, second] = data as [string, string];
	const swapped = new Map(whole).set(first, whole.get(second)!).set(second, whole.get(first)!);
	t.is(await refusal(swapped), `XX001 file "${first}" of the backup is damaged`);
	// The same place in a chain, but of another one.
	const manifest = "0002.manifest";
	const mixed = new Map(whole).set(manifest, other.get(manifest)!);
	t.is(await refusal(mixed), `XX001 file "${manifest}" of the backup is damaged`);
});

test("the last backup without its manifest is no shorter chain", async (t) => {
	const whole = await someBackup();
	whole.delete("0002.manifest");
	t.is(await refusal(whole), 'XX001 file "0002.manifest" of the backup is damaged');
});

test("a later format is refused by name", async (t) => {
	const { seal, sealBytes, unseal } = await import("./sealed-file.ts");
	const { crc32 } = await import("node:zlib");
	const file = seal("manifest", Buffer.alloc(sealBytes + 4));
	file.writeUInt32BE(2, 4);
	file.writeUInt32BE(crc32(file.subarray(12), crc32(file.subarray(0, 8))), 8);
	const error = t.throws(() => unseal("manifest", "0001.manifest", file));
	t.is(error.message, 'file "0001.manifest" has format 2, this node knows up to 1');
});
