"""psycopg2, as Debian has it: one line a part that held."""
import io
import sys
import threading

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool

from psycopg_parts import done, values

url = sys.argv[1]
psycopg2.extras.register_uuid()

connection = psycopg2.connect(url, application_name="psycopg2")
assert connection.server_version // 10000 == 15, connection.server_version
assert connection.encoding == "UTF8"
cursor = connection.cursor()
cursor.execute("SELECT current_setting('application_name')")
assert cursor.fetchone() == ("psycopg2",)
done("connect")

cursor.execute(
    "CREATE TABLE psycopg2_types (i2 smallint, i4 int, i8 bigint, n numeric, f8 float8, b bool, t text, y bytea, u uuid,"
    " j jsonb, d date, tm time, ts timestamp, tz timestamptz, iv interval, ia int[], ta text[], nul text)"
)
names = list(values)
given = [psycopg2.extras.Json(v) if isinstance(v, dict) else v for v in values.values()]
cursor.execute(
    f"INSERT INTO psycopg2_types ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})", given
)
cursor.execute("SELECT * FROM psycopg2_types")
row = cursor.fetchone()
for (name, expected), found in zip(values.items(), row):
    found = bytes(found) if isinstance(found, memoryview) else found
    assert found == expected, (name, found, expected)
connection.commit()
done("types")

cursor.execute("CREATE TABLE psycopg2_rows (id serial PRIMARY KEY, v int UNIQUE)")
connection.commit()
with connection:
    with connection.cursor() as own:
        psycopg2.extras.execute_values(own, "INSERT INTO psycopg2_rows (v) VALUES %s", [(n,) for n in range(200)])
try:
    with connection:
        with connection.cursor() as own:
            own.execute("DELETE FROM psycopg2_rows")
            raise RuntimeError
except RuntimeError:
    pass
cursor.execute("SELECT count(*) FROM psycopg2_rows")
assert cursor.fetchone() == (200,)
connection.rollback()
connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
try:
    cursor.execute("DELETE FROM psycopg2_rows")
    raise AssertionError("a read-only transaction has written")
except psycopg2.errors.ReadOnlySqlTransaction:
    connection.rollback()
connection.set_session(isolation_level="SERIALIZABLE", readonly=False)
done("transactions")

for statement, kind in [
    ("INSERT INTO psycopg2_rows (v) VALUES (1)", psycopg2.errors.UniqueViolation),
    ("SELECT * FROM nosuch", psycopg2.errors.UndefinedTable),
    ("SELECT 1/0", psycopg2.errors.DivisionByZero),
    ("SELEC 1", psycopg2.errors.SyntaxError),
    ("SELECT 'x'::int", psycopg2.errors.InvalidTextRepresentation),
    ("SELECT nosuch(1)", psycopg2.errors.UndefinedFunction),
]:
    try:
        cursor.execute(statement)
        raise AssertionError(statement)
    except kind as error:
        assert error.diag.sqlstate == error.pgcode
        if kind is psycopg2.errors.UniqueViolation:
            assert error.diag.constraint_name == "psycopg2_rows_v_key", error.diag.constraint_name
    assert connection.status == psycopg2.extensions.STATUS_IN_TRANSACTION
    connection.rollback()
done("errors")

pool = psycopg2.pool.ThreadedConnectionPool(1, 4, url)


def work(number):
    own = pool.getconn()
    with own, own.cursor() as at:
        at.execute("UPDATE psycopg2_rows SET v = v + 1000 WHERE id = %s", (number,))
    pool.putconn(own)


threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
cursor.execute("SELECT count(*) FROM psycopg2_rows WHERE v >= 1000")
assert cursor.fetchone() == (4,)
connection.rollback()
pool.closeall()
done("pooling")

with connection:
    with connection.cursor("named") as named:
        named.itersize = 32
        named.execute("SELECT id FROM psycopg2_rows ORDER BY id")
        assert [n for (n,) in named] == list(range(1, 201))
    with connection.cursor("scrolled", scrollable=True) as named:
        named.execute("SELECT id FROM psycopg2_rows ORDER BY id")
        named.scroll(100)
        assert named.fetchone() == (101,)
        named.scroll(-2)
        assert named.fetchone() == (100,)
done("cursors")

with connection:
    with connection.cursor() as own:
        own.copy_expert("COPY psycopg2_rows (v) FROM STDIN WITH (FORMAT csv)", io.StringIO("5001\n5002\n"))
        assert own.rowcount == 2
        out = io.StringIO()
        own.copy_expert("COPY (SELECT v FROM psycopg2_rows WHERE v > 5000 ORDER BY v) TO STDOUT", out)
        assert out.getvalue() == "5001\n5002\n", out.getvalue()
done("copy")

listener = psycopg2.connect(url)
listener.autocommit = True
listener.cursor().execute("LISTEN news")
with connection:
    connection.cursor().execute("SELECT pg_notify('news', 'hello')")
while not listener.notifies:
    listener.poll()
assert listener.notifies[0].payload == "hello"
listener.close()
connection.close()
done("notifications")
