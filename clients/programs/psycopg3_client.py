"""psycopg 3, as Debian has it: one line a part that held."""
import queue
import sys
import threading

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from psycopg_parts import done, values

url = sys.argv[1]

connection = psycopg.connect(url, autocommit=True)
assert connection.info.server_version // 10000 == 15
done("connect")

connection.execute(
    "CREATE TABLE psycopg3_types (i2 smallint, i4 int, i8 bigint, n numeric, f8 float8, b bool, t text, y bytea, u uuid,"
    " j jsonb, d date, tm time, ts timestamp, tz timestamptz, iv interval, ia int[], ta text[], nul text)"
)
for mark in ["%s", "%b", "%t"]:
    connection.execute("DELETE FROM psycopg3_types")
    given = [Jsonb(v) if isinstance(v, dict) else v for v in values.values()]
    connection.execute(
        sql.SQL("INSERT INTO psycopg3_types VALUES ({})").format(sql.SQL(", ").join([sql.SQL(mark)] * len(values))),
        given,
    )
    for binary in [False, True]:
        row = connection.cursor(binary=binary).execute("SELECT * FROM psycopg3_types").fetchone()
        for (name, expected), found in zip(values.items(), row):
            assert found == expected, (mark, binary, name, found, expected)
done("types")

connection.execute("CREATE TABLE psycopg3_rows (id serial PRIMARY KEY, v int UNIQUE)")
with connection.transaction():
    connection.cursor().executemany("INSERT INTO psycopg3_rows (v) VALUES (%s)", [(n,) for n in range(200)])
    try:
        with connection.transaction():
            connection.execute("DELETE FROM psycopg3_rows")
            raise RuntimeError
    except RuntimeError:
        pass
assert connection.execute("SELECT count(*) FROM psycopg3_rows").fetchone() == (200,)
connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
with connection.transaction():
    assert connection.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
connection.isolation_level = None
done("transactions")

for statement, kind in [
    ("INSERT INTO psycopg3_rows (v) VALUES (1)", errors.UniqueViolation),
    ("SELECT * FROM nosuch", errors.UndefinedTable),
    ("SELECT 1/0", errors.DivisionByZero),
    ("SELECT 'x'::int", errors.InvalidTextRepresentation),
]:
    try:
        connection.execute(statement)
        raise AssertionError(statement)
    except kind as error:
        if kind is errors.UniqueViolation:
            assert error.diag.constraint_name == "psycopg3_rows_v_key"
done("errors")

for _ in range(7):
    # Prepared by the server from the sixth time on.
    row = connection.execute("SELECT v FROM psycopg3_rows WHERE id = %s", (7,)).fetchone()
    assert row == (6,), row
with connection.pipeline():
    cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(20)]
assert [cursor.fetchone()[0] for cursor in cursors] == list(range(20))
done("prepared and pipelined")

pool = queue.Queue()
for _ in range(3):
    pool.put(psycopg.connect(url, autocommit=True))
answers = []


def ask(n):
    own = pool.get()
    try:
        answers.append(own.execute("SELECT %s::int", (n,)).fetchone()[0])
    finally:
        pool.put(own)


threads = [threading.Thread(target=ask, args=(n,)) for n in range(30)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(answers) == list(range(30)), answers
while not pool.empty():
    pool.get().close()
done("pooling")

with connection.transaction():
    with connection.cursor("named") as named:
        named.execute("SELECT id FROM psycopg3_rows ORDER BY id")
        assert [n for (n,) in named] == list(range(1, 201))
done("cursors")

with connection.cursor() as own:
    with own.copy("COPY psycopg3_rows (v) FROM STDIN") as copy:
        for n in range(5000, 5100):
            copy.write_row([n])
    with own.copy("COPY (SELECT v FROM psycopg3_rows WHERE v >= 5000 ORDER BY v) TO STDOUT") as copy:
        copy.set_types(["int4"])
        assert [row[0] for row in copy.rows()] == list(range(5000, 5100))
    with own.copy("COPY psycopg3_rows (v) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4"])
        for n in range(6000, 6100):
            copy.write_row([n])
    with own.copy("COPY (SELECT v FROM psycopg3_rows WHERE v >= 6000 ORDER BY v) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4"])
        assert [row[0] for row in copy.rows()] == list(range(6000, 6100))
    try:
        with own.copy("COPY psycopg3_rows (v) FROM STDIN (FORMAT binary)") as copy:
            copy.write(b"no such thing")
        raise AssertionError("what is no COPY was taken")
    except errors.BadCopyFileFormat:
        assert own.execute("SELECT 1").fetchone() == (1,)
done("copy")

listener = psycopg.connect(url, autocommit=True)
listener.execute("LISTEN news3")
connection.execute("NOTIFY news3, 'hello'")
for notice in listener.notifies():
    assert notice.payload == "hello"
    break
listener.close()
connection.close()
done("notifications")
