/** ALTER TABLE and ALTER DATABASE ... CONFIGURE, SHOW CONFIGURATION, and the rules that come of them. */
import { ownVersions, versionSetting } from "@quorate/keys/cluster-version";
import { key } from "@quorate/keys/key";
import { formatConstraints } from "@quorate/keys/placement-rule";
import test from "ava";
import { placementRules } from "../catalog/configuration.ts";
import { decodeDescriptor, encodeDescriptor, type TableDescriptor } from "../catalog/descriptor.ts";
import { indexPrefix } from "../catalog/keys.ts";
import { CatalogSnapshot } from "../catalog/snapshot.ts";
import { testServer } from "../testing/test-client.ts";

const ofTable = "show configuration from table t";
const ofDatabase = "show configuration from database quorate";

test("what is said of a table goes before what is said of the database, setting by setting", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	t.deepEqual(await client.rows(ofTable), [
		["replicas", "3", "cluster default"],
		["constraints", "", "cluster default"],
		["lease_preference", "", "cluster default"],
	]);
	const database =
		"alter database quorate configure replicas = 5, constraints = ' +region=eu , -zone=b'";
	t.is(await client.tag(database), "ALTER DATABASE");
	const table = "alter table t configure replicas = '1', lease_preference = 'region=eu,zone=a'";
	t.is(await client.tag(table), "ALTER TABLE");
	t.deepEqual(await client.rows(ofTable), [
		["replicas", "1", "table"],
		["constraints", "+region=eu,-zone=b", "database"],
		["lease_preference", "region=eu,zone=a", "table"],
	]);
	t.deepEqual(await client.rows(ofDatabase), [
		["replicas", "5", "database"],
		["constraints", "+region=eu,-zone=b", "database"],
		["lease_preference", "", "cluster default"],
	]);
	await client.query("alter table t configure constraints = '', replicas = default");
	t.deepEqual(await client.rows(ofTable), [
		["replicas", "5", "database"],
		["constraints", "", "table"],
		["lease_preference", "region=eu,zone=a", "table"],
	]);
	// Rights are kept beside it, and other changes of the table leave it alone.
	await client.query(
		"grant create on database quorate to public; revoke create on database quorate from public",
	);
	await client.query(
		"alter table t add column v int; alter table t rename to u; alter table u rename to t",
	);
	t.deepEqual((await client.rows(ofTable))[1], ["constraints", "", "table"]);
	t.deepEqual((await client.rows(ofTable))[0], ["replicas", "5", "database"]);
	await client.query("alter table t configure default; alter database quorate configure default");
	t.deepEqual(
		new Set((await client.rows(ofTable)).map((row) => row[2])),
		new Set(["cluster default"]),
	);
});

test("it is part of the transaction", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	await client.query("begin; alter table t configure replicas = 5");
	t.deepEqual((await client.rows(ofTable))[0], ["replicas", "5", "table"]);
	await client.query("rollback");
	t.deepEqual((await client.rows(ofTable))[0], ["replicas", "3", "cluster default"]);
});

test("what is wrong is said", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key); create view v as select 1 as one");
	for (const [settings, code] of [
		["replicas = 2", "22023"],
		["replicas = 'many'", "22023"],
		["constraints = 'region=eu'", "22023"],
		["constraints = '+region'", "22023"],
		["lease_preference = '+region=eu'", "22023"],
		["lease_preference = 'zone=a,zone=b'", "22023"],
		["copies = 3", "42704"],
		["replicas = 3, replicas = 5", "42601"],
		["replicas", "42601"],
	] as const) {
		t.regex(
			await client.error(`alter table t configure ${settings}`),
			new RegExp(`^${code}`),
			settings,
		);
	}
	t.regex(await client.error("alter table nothing configure replicas = 1"), /^42P01/);
	t.regex(await client.error("alter table v configure replicas = 1"), /^42809/);
	t.regex(await client.error("alter database other configure replicas = 1"), /^3D000/);
	t.regex(await client.error("show configuration from table nothing"), /^42P01/);
	t.regex(await client.error("show configuration from database other"), /^3D000/);
	await client.query(
		"create role somebody login; grant select on t to somebody; set role somebody",
	);
	t.regex(await client.error("alter table t configure replicas = 1"), /^42501/);
	t.regex(await client.error("alter database quorate configure replicas = 1"), /^42501/);
});

test("it waits until all nodes can it", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (id int primary key)");
	await server.coordinator.set(versionSetting, "1");
	const error = await client.error("alter table t configure replicas = 1");
	t.regex(error, /^55000.*needs cluster version 2, and version 1 is active/);
	t.regex(await client.error("alter database quorate configure replicas = 1"), /^55000/);
	t.deepEqual(await client.rows("show cluster_version"), [["1"]]);
	t.regex(await client.error("alter system set cluster_version = 7"), /^55P02/);
	await client.query("alter system reset all");
	t.deepEqual(await client.rows("show cluster_version"), [["1"]]);
	await server.coordinator.set(versionSetting, String(ownVersions.newest));
	await client.query("alter table t configure replicas = 1");
});

test("a configured table is stored in a format of its own, others as before", (t) => {
	const formatOf = (table: TableDescriptor): unknown =>
		(JSON.parse(Buffer.from(encodeDescriptor(table)).toString()) as { format: number }).format;
	const table = plainTable(20000, 7);
	t.is(formatOf(table), 1);
	const configured = { ...table, configuration: { replicas: 5 } };
	t.is(formatOf(configured), 4);
	t.deepEqual((decodeDescriptor(encodeDescriptor(configured)) as TableDescriptor).configuration, {
		replicas: 5,
	});
});

test("rules hold for a table's indexes, and for all else what the database says", (t) => {
	const configuration = { constraints: "+region=eu" };
	const one = { ...plainTable(20000, 7), configuration };
	const catalog = new CatalogSnapshot(1, [one, plainTable(20001, 8)], {
		rights: [{ kind: "rights", oid: 5, configuration: { replicas: 5 } }],
	});
	const rules = placementRules(catalog);
	const at = (id: number) => {
		const { replicas, constraints } = rules.at(key(`${indexPrefix(id)}row`));
		return [replicas, formatConstraints(constraints)];
	};
	t.deepEqual(at(7), [5, "+region=eu"]);
	t.deepEqual(at(8), [5, ""]);
	t.is(rules.at(key("\x01d")).replicas, 5);
	const whole = { start: key(""), end: key("\xff") };
	t.deepEqual(rules.borders(whole), [indexPrefix(7), indexPrefix(8)]);
	t.deepEqual(rules.borders({ start: indexPrefix(7), end: indexPrefix(8) }), []);
	t.true(placementRules(new CatalogSnapshot(1, [])).isUniform);
});

function plainTable(oid: number, indexId: number): TableDescriptor {
	const primary = {
		oid: oid + 100,
		name: `t${oid}_pkey`,
		indexId,
		columns: [],
		unique: true,
		state: "public" as const,
		constraintOid: undefined,
	};
	return {
		kind: "table",
		oid,
		schema: "public",
		name: `t${oid}`,
		columns: [],
		nextAttnum: 1,
		primary,
		indexes: [],
		checks: [],
		foreignKeys: [],
		rewrite: undefined,
	};
}
