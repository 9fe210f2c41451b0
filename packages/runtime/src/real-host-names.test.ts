/** Names of hosts by a hosts file, and by a server on loopback that says what the test wants. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { RealHostNames } from "./real-host-names.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-names-"));
const hostsFile = join(directory, "hosts");
writeFileSync(
	hostsFile,
	"# of this machine\n127.0.0.1\tlocalhost\n10.0.0.7 db.example db # and more\nFD00:0::7 db.example\nnonsense\n",
);
test.after.always(() => rmSync(directory, { recursive: true }));

const word = (value: number) => Buffer.from([value >> 8, value & 255]);
const labels = (name: string) =>
	Buffer.concat([
		...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
		Buffer.from([0]),
	]);
const type = { a: 1, ptr: 12 };

/** Answers by type with that data, however asked; without any it says nothing. */
async function dnsServer(records: ReadonlyMap<number, Buffer>) {
	const socket = createSocket("udp4");
	let askedCount = 0;
	socket.on("message", (query, from) => {
		askedCount++;
		const nameEnd = query.indexOf(0, 12) + 1;
		const data = records.get(query.readUInt16BE(nameEnd));
		if (data === undefined) return;
		const head = [query.subarray(0, 2), word(0x8180), word(1), word(1), word(0), word(0)];
		const question = query.subarray(12, nameEnd + 4);
		// 0xc00c: the name that was asked for.
		const answer = [word(0xc00c), query.subarray(nameEnd, nameEnd + 4), word(0), word(60)];
		const reply = Buffer.concat([...head, question, ...answer, word(data.length), data]);
		socket.send(reply, from.port, from.address);
	});
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	const servers = [`127.0.0.1:${(socket.address() as AddressInfo).port}`];
	return { servers, askedCount: () => askedCount, close: () => socket.close() };
}

test("the hosts file is asked first, then DNS", async (t) => {
	const { servers, askedCount, close } = await dnsServer(
		new Map([
			[type.ptr, labels("far.example")],
			[type.a, Buffer.from([10, 0, 0, 9])],
		]),
	);
	const names = new RealHostNames({ hostsFile, servers, timeoutMs: 10_000 });
	t.is(await names.nameOf("127.0.0.1"), "localhost");
	t.is(await names.nameOf("10.0.0.7"), "db.example");
	t.is(await names.nameOf("fd00::7"), "db.example");
	t.deepEqual(await names.addressesOf("DB.example", 4), ["10.0.0.7"]);
	t.deepEqual(await names.addressesOf("db.example", 6), ["FD00:0::7"]);
	t.is(askedCount(), 0);
	t.is(await names.nameOf("10.0.0.9"), "far.example");
	t.deepEqual(await names.addressesOf("far.example", 4), ["10.0.0.9"]);
	t.is(askedCount(), 2);
	await t.throwsAsync(names.nameOf("unknown"));
	close();
});

test("a server that says nothing is not waited for", async (t) => {
	const { servers, close } = await dnsServer(new Map());
	const names = new RealHostNames({ hostsFile: join(directory, "none"), servers, timeoutMs: 1 });
	await t.throwsAsync(names.nameOf("10.0.0.9"), { code: "ECANCELLED" });
	await t.throwsAsync(names.addressesOf("far.example", 6), { code: "ECANCELLED" });
	close();
});
