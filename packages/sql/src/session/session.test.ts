import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { CollectingSink, testServer } from "../testing/test-client.ts";

const cell = async (
	client: { rows(text: string): Promise<readonly (readonly (string | null)[])[]> },
	text: string,
) => (await client.rows(text))[0]?.[0];

test("several statements of one query string are one transaction", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	t.is(
		await client.error("insert into t values (1); insert into t values (1)"),
		'23505 duplicate key value violates unique constraint "t_pkey"',
	);
	t.is(await cell(client, "select count(*) from t"), "0");
	t.is(
		await client.error("insert into t values (2); selec 1"),
		'42601 syntax error at or near "selec"',
	);
	t.is(await cell(client, "select count(*) from t"), "0");
	await client.query("insert into t values (3); begin; insert into t values (4)");
	t.is(client.session.transactionStatus, "T");
	await client.query("rollback");
	t.is(await cell(client, "select count(*) from t"), "0");
});

test("FETCH from a BINARY cursor has results in binary format, also when the cursor is held", async (t) => {
	const client = await testServer().connect();
	await client.query(
		"begin; declare b binary cursor with hold for select 1; declare c cursor for select 2",
	);
	await client.query("fetch b; fetch c; move b");
	t.deepEqual(client.sink.formats, ["binary", "text"]);
	await client.query("commit");
	await client.query("fetch prior b");
	t.deepEqual(client.sink.formats, ["binary"]);
});

test("a failed block takes nothing but its end", async (t) => {
	const client = await testServer().connect();
	await client.query("begin");
	t.is(await client.error("select 1/0"), "22012 division by zero");
	t.is(client.session.transactionStatus, "E");
	t.regex(await client.error("select 1"), /^25P02/);
	t.is(await client.tag("commit"), "ROLLBACK");
	t.is(client.session.transactionStatus, "I");
	t.is(await client.tag("commit"), "COMMIT");
	t.is(client.sink.notices[0]?.message, "there is no transaction in progress");
});

test("savepoints take back rows, settings and schema changes", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	await client.query("begin; insert into t values (1); savepoint a");
	await client.query(
		"set application_name = 'inside'; create table u (x int); insert into t values (2)",
	);
	t.is(await cell(client, "select count(*) from t"), "2");
	await client.query("rollback to a");
	t.is(await cell(client, "select count(*) from t"), "1");
	t.is(await cell(client, "show application_name"), "");
	t.regex(await client.error("select * from u"), /^42P01/);
	await client.query("rollback to a; commit");
	t.is(await cell(client, "select count(*) from t"), "1");
	t.is(
		await client.error("rollback to a"),
		"25P01 ROLLBACK TO SAVEPOINT can only be used in transaction blocks",
	);
});

test("a statement that met a conflict is run again unseen", async (t) => {
	const server = testServer();
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key, n int); insert into t values (1, 0)");
	await one.query("set transaction_mode = optimistic");
	let conflicts = 3;
	server.coordinator.beforeCommit = async () => {
		if (conflicts-- <= 0) return;
		server.coordinator.beforeCommit = undefined;
		await other.query("update t set n = n + 10");
		server.coordinator.beforeCommit = conflictAgain;
	};
	const conflictAgain = server.coordinator.beforeCommit;
	t.is(await one.tag("update t set n = n + 1 where id = 1"), "UPDATE 1");
	server.coordinator.beforeCommit = undefined;
	t.is(await cell(one, "select n from t"), "31");
});

test("after a conflict at Sync, a statement that comes to the same end is committed", async (t) => {
	const server = testServer();
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key, n int); insert into t values (1, 0)");
	await one.query("set transaction_mode = optimistic");
	const interfere = (): void => {
		server.coordinator.beforeCommit = async () => {
			server.coordinator.beforeCommit = undefined;
			await other.query("update t set n = n + 10");
		};
	};
	interfere();
	const result = await one.execute("update t set n = n + $1 where id = $2", ["1", "1"], [], false);
	t.is(result?.tag, "UPDATE 1");
	t.is(await cell(one, "select n from t"), "11");
	// The client was told another value than the one that would be committed: the conflict is its own.
	interfere();
	const returning = "update t set n = n + 1 where id = 1 returning n";
	const error = await t.throwsAsync(one.execute(returning, [], [], false));
	t.is((error as DatabaseError).code, "40001");
	t.is(await cell(one, "select n from t"), "21");
	// Where Sync has come with it, the client is told once it is committed.
	interfere();
	t.deepEqual((await one.execute(returning))?.rows, [["32"]]);
});

test("a schema change that met another one at Sync is made after it", async (t) => {
	const server = testServer();
	const [one, other] = [await server.connect(), await server.connect()];
	for (const client of [one, other]) await client.query("set transaction_mode = optimistic");
	const interfere = (text: string): void => {
		server.coordinator.beforeCommit = async () => {
			server.coordinator.beforeCommit = undefined;
			await other.query(text);
		};
	};
	interfere("create table other (id int primary key)");
	const result = await one.execute("create table own (id int primary key)", [], [], false);
	t.is(result?.tag, "CREATE TABLE");
	t.is(await cell(one, "select count(*) from own, other"), "0");
	// It would fail now, and the client was told that it did not.
	interfere("create table wanted (id int primary key)");
	const wanted = "create table wanted (id int primary key)";
	const error = await t.throwsAsync(one.execute(wanted, [], [], false));
	t.is((error as DatabaseError).code, "40001");
	interfere("drop table wanted");
	t.is((await one.execute("create index on wanted (id)").catch((e) => e)).code, "42P01");
});

test("a COPY that met a conflict is run again with what was sent, unless that was much", async (t) => {
	const server = testServer();
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int, v text)");
	const interfere = (text: string): void => {
		server.coordinator.beforeCommit = async () => {
			server.coordinator.beforeCommit = undefined;
			await other.query(text);
		};
	};
	interfere("alter table t add column n int default 7");
	const [result] = await one.query("copy t (id, v) from stdin", ["1\ta\n2", "\tb\n"]);
	t.is(result?.tag, "COPY 2");
	t.is(await cell(one, "select sum(n) from t"), "14");
	interfere("alter table t add column m int default 8");
	const long = `1\t${"x".repeat(5 << 20)}\n`;
	const error = await t.throwsAsync(one.query("copy t (id, v) from stdin", [long]));
	t.is((error as DatabaseError).code, "40001");
	t.is(await cell(one, "select count(*) from t"), "2");
});

test("tables are emptied and filled in two transactions at once", async (t) => {
	const server = testServer();
	const [one, other] = [await server.connect(), await server.connect()];
	const clients = [one, other] as const;
	await one.query("create table a (id int); create table b (id int)");
	for (const [i, client] of clients.entries()) {
		await client.query(`begin; truncate only ${"ab"[i]}`);
	}
	for (const [i, client] of clients.entries()) {
		await client.query(`copy ${"ab"[i]} from stdin`, ["1\n2\n"]);
	}
	await (await server.connect()).query("create table c (id int primary key)");
	for (const client of clients) t.is(await client.tag("commit"), "COMMIT");
	t.is(await cell(one, "select (select count(*) from a) + (select count(*) from b)"), "4");
});

test("what another transaction locked is waited for, in order", async (t) => {
	const server = testServer();
	const [one, two, three] = [
		await server.connect(),
		await server.connect(),
		await server.connect(),
	];
	await one.query(
		"create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
	);
	await one.query("begin; update t set n = n + 1 where id = 1");
	const waiting = [two, three].map((client) => client.query("update t set n = n + 1 where id = 1"));
	t.regex(
		await (await server.connect()).error("select * from t where id = 1 for update nowait"),
		/^55P03/,
	);
	t.deepEqual(await (await server.connect()).rows("select id from t for update skip locked"), [
		["2"],
	]);
	await one.query("commit");
	await Promise.all(waiting);
	t.is(await cell(one, "select n from t where id = 1"), "3");
	await one.query("set lock_timeout = '1ms'");
	await two.query("begin; update t set n = 0 where id = 1");
	t.regex(await one.error("update t set n = 0 where id = 1"), /^55P03/);
	await two.query("rollback");
});

test("two transactions that wait for each other: one dies, the other goes on", async (t) => {
	const server = testServer();
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query(
		"create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
	);
	await one.query("begin; update t set n = 1 where id = 1");
	await two.query("begin; update t set n = 2 where id = 2");
	const first = one.query("update t set n = 1 where id = 2");
	t.is(await two.error("update t set n = 2 where id = 1"), "40P01 deadlock detected");
	await first;
	await one.query("commit");
	await two.query("rollback");
	t.deepEqual(await one.rows("select n from t order by id"), [["1"], ["1"]]);
});

test("a cancelled statement ends, its session lives", async (t) => {
	const server = testServer();
	const client = await server.connect();
	const slept = client.error("select pg_sleep(60)");
	setImmediate(() => client.session.cancel());
	t.is(await slept, "57014 canceling statement due to user request");
	await client.query("set statement_timeout = '1ms'");
	t.regex(await client.error("select count(*) from generate_series(1, 100000000)"), /^57014/);
	await client.query("reset statement_timeout");
	t.is(await cell(client, "select 1"), "1");
});

test("portals give rows in portions", async (t) => {
	const client = await testServer().connect();
	await client.query("begin");
	const { session } = client;
	await session.prepare("s", "select * from generate_series(1, 5)", []);
	const portal = await session.bind("p", "s", []);
	const sink = new CollectingSink(() => session);
	sink.expect(portal.columns);
	t.is(await portal.execute(sink, 2, false), "suspended");
	t.is(await portal.execute(sink, 2, false), "suspended");
	t.is(await portal.execute(sink, 2, false), "complete");
	t.deepEqual(sink.results[0]?.rows, [["1"], ["2"], ["3"], ["4"], ["5"]]);
	t.is(sink.results[0]?.tag, "SELECT 1");
	await client.query("commit");
	t.is(session.portal("p"), undefined);
});

test("parameter types are inferred, and tell plans apart", async (t) => {
	const client = await testServer().connect();
	await client.query(
		"create table t (id int primary key, v varchar(5)); insert into t values (1, 'a')",
	);
	const { session } = client;
	t.deepEqual(
		(await session.prepare("a", "select v from t where id = $1", [])).parameterTypes,
		[23],
	);
	t.deepEqual(
		(await session.prepare("b", "select v from t where id = $1", [20])).parameterTypes,
		[20],
	);
	t.deepEqual(
		(await session.prepare("c", "select v from t where id = $1", [1700])).parameterTypes,
		[1700],
	);
	t.deepEqual(
		(await session.prepare("d", "select v from t where id = $1", [])).parameterTypes,
		[23],
	);
	t.deepEqual((await client.execute("select v from t where id = $1", ["1"], [20]))?.rows, [["a"]]);
	t.deepEqual(
		(await client.execute("insert into t values ($1, $2) returning *", ["2", "b"]))?.rows,
		[["2", "b"]],
	);
	const error = await t.throwsAsync(async () => session.bind("", "a", [1, 2]));
	t.is((error as DatabaseError).code, "08P01");
});

test("equal shapes share a plan, other literals give other rows", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key, v text)");
	for (let i = 0; i < 20; i++) await client.query(`insert into t values (${i}, 'v${i}')`);
	for (let i = 0; i < 20; i++) {
		t.deepEqual(await client.rows(`select v from t where id = ${i}`), [[`v${i}`]]);
		t.deepEqual(await client.rows(`select id from t where v = 'v${i}' order by 1`), [[String(i)]]);
	}
});

test("another session's schema change reaches plans and running transactions", async (t) => {
	const server = testServer();
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key, v text); insert into t values (1, 'a')");
	t.deepEqual(await two.rows("select * from t"), [["1", "a"]]);
	await two.query("begin; select * from t");
	await one.query("alter table t add column n int default 7");
	// Its snapshot is older than the change, and so is the catalog that it sees.
	t.deepEqual(await two.rows("select * from t"), [["1", "a"]]);
	await two.query("commit");
	t.deepEqual(await two.rows("select * from t"), [["1", "a", "7"]]);
	await one.query("drop table t");
	t.regex(await two.error("select * from t"), /^42P01/);
});

test("a schema change between planning and reading has the statement planned again", async (t) => {
	const server = testServer();
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key, v text); insert into t values (1, 'a')");
	await two.query("select * from t where id = 1");
	let seen = server.coordinator.schemaVersion();
	// The node has not heard of the new version when the statement begins.
	const real = server.coordinator.schemaVersion.bind(server.coordinator);
	server.coordinator.schemaVersion = () => seen;
	await one.query("alter table t drop column v; alter table t add column w int default 3");
	t.deepEqual(await two.rows("select * from t where id = 1"), [["1", "3"]]);
	t.deepEqual(await two.rows("update t set w = w + 1 where id = 1 returning *"), [["1", "4"]]);
	seen = real();
	server.coordinator.schemaVersion = real;
	t.deepEqual(await two.rows("select * from t"), [["1", "4"]]);
});

test("what this node has not heard of yet is there all the same", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (id int primary key)");
	const seen = server.coordinator.schemaVersion();
	server.coordinator.schemaVersion = () => seen;
	const missing = async (text: string): Promise<void> => {
		t.regex(await client.error(text), /^42/, text);
	};
	await client.query("create table u (id int primary key)");
	await client.query("insert into u values (1)");
	await client.query("alter table u add column v int default 2");
	t.deepEqual(await client.rows("select v from u"), [["2"]]);
	await client.query("create table w (id int)");
	await client.session.prepare("p", "select id from w where id = $1", []);
	await client.query("begin; insert into w values (1); commit");
	await client.query("create table x (id int)");
	await client.query("drop table x");
	await missing("select * from x");
	await missing("select nosuch from u");
	await t.throwsAsync(client.session.prepare("q", "select id from x", []), {
		message: /"x" does not/,
	});
	await client.query("insert into u values (7); truncate u; insert into u values (8)");
	t.deepEqual(await client.rows("select id from u"), [["8"]]);
	await client.query("create index on w (id); create table y (id int)");
	t.deepEqual((await client.query("copy y to stdout")).at(-1)!.tag, "COPY 0");
	t.deepEqual(
		await client.rows("explain select * from w where id = 1 limit 0").then((r) => r.length > 0),
		true,
	);
});

test("a catalog that is being loaded is not given to who has heard of a newer one", async (t) => {
	const server = testServer();
	const one = await server.connect();
	const others = await Promise.all(Array.from({ length: 3 }, () => server.connect()));
	for (let i = 0; i < 30; i++) {
		const table = `t${i}`;
		const looks = others.slice(i % 4).map((other) => other.query("select 1"));
		await one.query(`create table ${table} (id int)`);
		t.deepEqual(await one.rows(`select count(*) from ${table}`), [["0"]]);
		await Promise.all(looks);
	}
});

test("SQL's PREPARE and the protocol's statements share their names", async (t) => {
	const client = await testServer().connect();
	await client.query("prepare add (int, int) as select $1 + $2");
	t.deepEqual(await client.rows("execute add (1, 2)"), [["3"]]);
	t.deepEqual(await client.rows("execute add (10, '20')"), [["30"]]);
	t.not(client.session.statement("add"), undefined);
	await client.session.prepare("p", "select 1", []);
	await client.query("deallocate p");
	t.is(client.session.statement("p"), undefined);
	t.regex(await client.error("execute nosuch"), /^26000/);
	await client.query("discard all");
	t.is(client.session.statement("add"), undefined);
});

test("settings: local ones end with the transaction, failed ones take theirs back", async (t) => {
	const client = await testServer().connect({ application_name: "start" });
	t.is(await cell(client, "show application_name"), "start");
	await client.query("begin; set local application_name = 'local'");
	t.is(await cell(client, "show application_name"), "local");
	await client.query("commit");
	t.is(await cell(client, "show application_name"), "start");
	await client.query("begin; set application_name = 'undone'; rollback");
	t.is(await cell(client, "show application_name"), "start");
	await client.query("set application_name = 'kept'");
	t.deepEqual(client.sink.parameters, [["application_name", "kept"]]);
	await client.query("reset all");
	t.is(await cell(client, "show application_name"), "start");
	t.regex(await client.error("set nosuch = 1"), /^42704/);
	t.regex(await client.error("set server_version = '1'"), /^55P02/);
});

test("who may connect", async (t) => {
	const server = testServer();
	await t.throwsAsync(server.connect({ database: "nosuch" }), { message: /does not exist/ });
	await t.throwsAsync(server.connect({ user: "" }), { message: /no PostgreSQL user name/ });
	await t.throwsAsync(server.connect({ client_encoding: "LATIN1" }), {
		message: /LATIN1/,
	});
});

test("a read-only transaction writes nothing", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key); create sequence s");
	await client.query("begin read only");
	t.is(
		await client.error("insert into t values (1)"),
		"25006 cannot execute INSERT in a read-only transaction",
	);
	await client.query("rollback; begin read only");
	t.is(
		await client.error("create table u (x int)"),
		"25006 cannot execute CREATE TABLE in a read-only transaction",
	);
	await client.query("rollback; begin read only");
	t.is(
		await client.error("select nextval('s')"),
		"25006 cannot execute nextval() in a read-only transaction",
	);
	await client.query("rollback");
});

test("no error but a DatabaseError leaves a session", async (t) => {
	const client = await testServer().connect();
	for (const text of [
		"select $2 from",
		"select $1 +",
		"select (select 1, 2)",
		"table nosuch",
		"insert into",
		"\0",
	]) {
		const error = await t.throwsAsync(client.query(text));
		t.true(error instanceof DatabaseError, text);
	}
});
