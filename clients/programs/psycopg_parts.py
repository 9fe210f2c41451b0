"""What the programs for psycopg2 and psycopg 3 have in common: values of all types, and how they say that a part held."""
import datetime
import decimal
import uuid


def done(part):
    print(part, flush=True)


values = {
    "i2": -32768,
    "i4": 2147483647,
    "i8": -9223372036854775808,
    "n": decimal.Decimal("12345678901234567890.1230"),
    "f8": -1e300,
    "b": True,
    "t": "é \\ ' \" 日 😀\n",
    "y": b"\x00\xff\\'",
    "u": uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "j": {"a": [1, None, "x"]},
    "d": datetime.date(2020, 2, 29),
    "tm": datetime.time(12, 34, 56, 789000),
    "ts": datetime.datetime(2020, 2, 29, 12, 34, 56, 789000),
    "tz": datetime.datetime(2020, 2, 29, 12, 34, 56, tzinfo=datetime.timezone.utc),
    "iv": datetime.timedelta(days=3, seconds=7),
    "ia": [1, None, -3],
    "ta": ["a,b", 'q"', "", None, "NULL"],
    "nul": None,
}
