/** Names of hosts, as an attacker would have them. */
import type { HostNames } from "@quorate/runtime/runtime";
import test from "ava";
import { ClientName } from "./client-name.ts";
import { createTestRuntime } from "./testing/test-runtime.ts";

/** What each address is called, and which addresses each name has. */
function world(reverse: Record<string, string>, forward: Record<string, readonly string[]>) {
	const asked: string[] = [];
	const answer = <T>(what: string, found: T | undefined): Promise<T> => {
		asked.push(what);
		return found === undefined ? Promise.reject(new Error("ENOTFOUND")) : Promise.resolve(found);
	};
	const hostNames: HostNames = {
		nameOf: (address) => answer(address, reverse[address]),
		addressesOf: (name, version) => answer(`${name} ${version}`, forward[name]),
	};
	const { logger, logged } = createTestRuntime();
	const of = (address: string) => new ClientName(address, hostNames, logger);
	return { asked, logged, of };
}

test("the name of an address has to lead back to it", async (t) => {
	const { asked, logged, of } = world(
		{ "10.1.2.3": "DB1.Example.com", "10.6.6.6": "db1.example.com", "fd00::1": "db1.example.com" },
		{ "DB1.Example.com": ["10.9.9.9", "10.1.2.3"], "db1.example.com": ["10.1.2.3", "FD00:0::1"] },
	);
	const host = of("10.1.2.3");
	t.false(await host.matches("other.example.com"));
	t.deepEqual(asked, ["10.1.2.3"]);
	for (const fits of ["db1.example.COM", ".example.com", ".com"]) t.true(await host.matches(fits));
	for (const not of ["example.com", ".b1.example.com", "db1.example.com.", "1.example.com", ""]) {
		t.false(await host.matches(not), not);
	}
	t.deepEqual(asked, ["10.1.2.3", "DB1.Example.com 4"]);
	t.deepEqual(logged, []);

	const liar = of("10.6.6.6");
	t.false(await liar.matches(".example.com"));
	t.false(await liar.matches("db1.example.com"));
	t.deepEqual(
		logged.map(({ level, message }) => `${level}: ${message}`),
		["debug: the name of a client does not lead back to its address"],
	);
	t.true(await of("fd00::1").matches("db1.example.com"));
});

test("a lookup that fails is a no, and a debug line", async (t) => {
	const { asked, logged, of } = world({ "10.1.2.3": "db1.example.com" }, {});
	for (const address of ["10.1.2.3", "10.1.2.4", "unknown"]) {
		const host = of(address);
		t.false(await host.matches("db1.example.com"));
		t.false(await host.matches(".com"));
	}
	t.deepEqual(asked, ["10.1.2.3", "db1.example.com 4", "10.1.2.4", "unknown"]);
	t.deepEqual(
		logged.map(({ level, message }) => `${level}: ${message}`),
		[
			"debug: the name of a client has no address",
			"debug: the address of a client has no name",
			"debug: the address of a client has no name",
		],
	);
	t.false(await new ClientName("10.1.2.3", undefined, createTestRuntime().logger).matches(".com"));
});
