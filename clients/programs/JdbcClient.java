// pgjdbc, as Debian has it: one line a part that held.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.ds.PGPoolingDataSource;

public class JdbcClient {
  static void done(String part) {
    System.out.println(part);
  }

  static void check(boolean holds, Object what) {
    if (!holds) throw new AssertionError(what);
  }

  static void checkEqual(Object found, Object expected) {
    check(Objects.deepEquals(found, expected), found + " is not " + expected);
  }

  public static void main(String[] args) throws Exception {
    String url = args[0];
    try (Connection c = DriverManager.getConnection(url)) {
      DatabaseMetaData meta = c.getMetaData();
      checkEqual(meta.getDatabaseMajorVersion(), 15);
      check(c.isValid(5), "valid");
      done("connect");
      types(c);
      transactions(c);
      errors(c);
      prepared(c);
      cursors(c);
      copy(c);
      metadata(meta);
    }
    pooling(url);
  }

  static void types(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE jdbc_types (i2 smallint, i4 int, i8 bigint, n numeric, f8 float8, b bool, t text, y bytea,"
          + " u uuid, d date, ts timestamp, tz timestamptz, a int[], nul text)");
    }
    UUID uuid = UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    String text = "é \\ ' \" 日 😀\n";
    byte[] bytes = {0, -1, 92, 39};
    LocalDateTime ts = LocalDateTime.of(2020, 2, 29, 12, 34, 56, 789000000);
    OffsetDateTime tz = ts.atOffset(ZoneOffset.UTC);
    // From the fifth run on the statement is the server's, and values travel in binary.
    for (int run = 0; run < 8; run++) {
      try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_types VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
        p.setShort(1, Short.MIN_VALUE);
        p.setInt(2, Integer.MAX_VALUE);
        p.setLong(3, Long.MIN_VALUE);
        p.setBigDecimal(4, new BigDecimal("12345678901234567890.1230"));
        p.setDouble(5, -1e300);
        p.setBoolean(6, true);
        p.setString(7, text);
        p.setBytes(8, bytes);
        p.setObject(9, uuid);
        p.setObject(10, ts.toLocalDate());
        p.setObject(11, ts);
        p.setObject(12, tz);
        p.setArray(13, c.createArrayOf("int4", new Integer[] {1, null, -3}));
        p.setNull(14, Types.VARCHAR);
        checkEqual(p.executeUpdate(), 1);
      }
      try (PreparedStatement p = c.prepareStatement("SELECT * FROM jdbc_types LIMIT 1"); ResultSet r = p.executeQuery()) {
        check(r.next(), "a row");
        checkEqual(r.getShort(1), Short.MIN_VALUE);
        checkEqual(r.getInt(2), Integer.MAX_VALUE);
        checkEqual(r.getLong(3), Long.MIN_VALUE);
        checkEqual(r.getBigDecimal(4), new BigDecimal("12345678901234567890.1230"));
        checkEqual(r.getDouble(5), -1e300);
        checkEqual(r.getBoolean(6), true);
        checkEqual(r.getString(7), text);
        checkEqual(r.getBytes(8), bytes);
        checkEqual(r.getObject(9), uuid);
        checkEqual(r.getObject(10, LocalDate.class), ts.toLocalDate());
        checkEqual(r.getObject(11, LocalDateTime.class), ts);
        checkEqual(r.getObject(12, OffsetDateTime.class).toInstant(), tz.toInstant());
        checkEqual(r.getArray(13).getArray(), new Integer[] {1, null, -3});
        checkEqual(r.getString(14), null);
      }
    }
    done("types");
  }

  static int count(Connection c, String table) throws SQLException {
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT count(*) FROM " + table)) {
      r.next();
      return r.getInt(1);
    }
  }

  static void transactions(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE jdbc_rows (id serial PRIMARY KEY, v int UNIQUE)");
      c.setAutoCommit(false);
      try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_rows (v) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
        for (int n = 0; n < 200; n++) {
          p.setInt(1, n);
          p.addBatch();
        }
        checkEqual(p.executeBatch().length, 200);
        try (ResultSet keys = p.getGeneratedKeys()) {
          check(keys.next() && keys.getInt(1) == 1, "generated keys");
        }
      }
      c.commit();
      s.execute("DELETE FROM jdbc_rows");
      Savepoint point = c.setSavepoint("here");
      s.execute("DROP TABLE jdbc_types");
      c.rollback(point);
      c.rollback();
      c.setAutoCommit(true);
      checkEqual(count(c, "jdbc_rows"), 200);
      c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      checkEqual(c.getTransactionIsolation(), Connection.TRANSACTION_REPEATABLE_READ);
      c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    }
    done("transactions");
  }

  static void errors(Connection c) throws Exception {
    Map<String, String> expected = Map.of("INSERT INTO jdbc_rows (v) VALUES (1)", "23505", "SELECT * FROM nosuch", "42P01",
        "SELECT 1/0", "22012", "SELEC 1", "42601");
    for (Map.Entry<String, String> one : expected.entrySet()) {
      try (Statement s = c.createStatement()) {
        s.execute(one.getKey());
        throw new AssertionError(one.getKey());
      } catch (SQLException error) {
        checkEqual(error.getSQLState(), one.getValue());
      }
    }
    try (Statement s = c.createStatement()) {
      s.setQueryTimeout(1);
      s.execute("SELECT pg_sleep(60)");
      throw new AssertionError("no timeout");
    } catch (SQLException error) {
      checkEqual(error.getSQLState(), "57014");
    }
    done("errors");
  }

  static void prepared(Connection c) throws Exception {
    try (PreparedStatement p = c.prepareStatement("SELECT v FROM jdbc_rows WHERE id = ?")) {
      for (int n = 1; n < 10; n++) {
        p.setInt(1, n);
        try (ResultSet r = p.executeQuery()) {
          check(r.next() && r.getInt(1) == n - 1, n);
        }
      }
    }
    done("prepared");
  }

  static void cursors(Connection c) throws Exception {
    c.setAutoCommit(false);
    try (PreparedStatement p = c.prepareStatement("SELECT id FROM jdbc_rows ORDER BY id")) {
      p.setFetchSize(32);
      try (ResultSet r = p.executeQuery()) {
        int n = 0;
        while (r.next()) checkEqual(r.getInt(1), ++n);
        checkEqual(n, 200);
      }
    }
    c.commit();
    c.setAutoCommit(true);
    done("cursors");
  }

  static void copy(Connection c) throws Exception {
    CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
    checkEqual(copy.copyIn("COPY jdbc_rows (v) FROM STDIN WITH (FORMAT csv)", new StringReader("5001\n5002\n")), 2L);
    StringWriter out = new StringWriter();
    copy.copyOut("COPY (SELECT v FROM jdbc_rows WHERE v > 5000 ORDER BY v) TO STDOUT", out);
    checkEqual(out.toString(), "5001\n5002\n");
    done("copy");
  }

  static void metadata(DatabaseMetaData meta) throws Exception {
    List<String> columns = new ArrayList<>();
    try (ResultSet r = meta.getColumns(null, "public", "jdbc_rows", null)) {
      while (r.next()) columns.add(r.getString("COLUMN_NAME") + " " + r.getString("TYPE_NAME") + " " + r.getString("IS_NULLABLE"));
    }
    checkEqual(columns, List.of("id serial NO", "v int4 YES"));
    try (ResultSet r = meta.getTables(null, "public", "jdbc%", new String[] {"TABLE"})) {
      int n = 0;
      while (r.next()) n++;
      checkEqual(n, 2);
    }
    keys(meta);
    routines(meta);
    done("metadata");
  }

  /** Of each row these columns. */
  static List<String> rows(ResultSet result, String... columns) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (ResultSet r = result) {
      while (r.next()) {
        List<String> fields = new ArrayList<>();
        for (String column : columns) fields.add(r.getString(column));
        rows.add(String.join(" ", fields));
      }
    }
    return rows;
  }

  static void keys(DatabaseMetaData meta) throws Exception {
    try (Statement s = meta.getConnection().createStatement()) {
      s.execute("CREATE SCHEMA jdbc");
      s.execute("CREATE TABLE jdbc.parent (a int, b text, c numeric(8,2), PRIMARY KEY (b, a))");
      s.execute("CREATE TABLE jdbc.child (id bigserial PRIMARY KEY, b text, a int, u varchar(10) UNIQUE,"
          + " CONSTRAINT fk FOREIGN KEY (b, a) REFERENCES jdbc.parent (b, a) ON DELETE CASCADE)");
      s.execute("CREATE INDEX child_i ON jdbc.child (a DESC, lower(u))");
    }
    checkEqual(rows(meta.getPrimaryKeys(null, "jdbc", "parent"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"),
        List.of("b 1 parent_pkey", "a 2 parent_pkey"));
    checkEqual(rows(meta.getIndexInfo(null, "jdbc", "child", false, true), "INDEX_NAME", "NON_UNIQUE", "ORDINAL_POSITION",
        "COLUMN_NAME", "ASC_OR_DESC"), List.of("child_pkey f 1 id A", "child_u_key f 1 u A", "child_i t 1 a D",
        "child_i t 2 lower((u)::text) A"));
    List<String> expected = List.of("parent b child b 1 0 fk parent_pkey", "parent a child a 2 0 fk parent_pkey");
    String[] columns = {"PKTABLE_NAME", "PKCOLUMN_NAME", "FKTABLE_NAME", "FKCOLUMN_NAME", "KEY_SEQ", "DELETE_RULE",
        "FK_NAME", "PK_NAME"};
    checkEqual(rows(meta.getImportedKeys(null, "jdbc", "child"), columns), expected);
    checkEqual(rows(meta.getExportedKeys(null, "jdbc", "parent"), columns), expected);
    checkEqual(rows(meta.getCrossReference(null, "jdbc", "parent", null, "jdbc", "child"), columns), expected);
    checkEqual(rows(meta.getBestRowIdentifier(null, "jdbc", "parent", 0, true), "COLUMN_NAME"), List.of("a", "b"));
    checkEqual(rows(meta.getSchemas(null, "jdbc"), "TABLE_SCHEM"), List.of("jdbc"));
    checkEqual(rows(meta.getTablePrivileges(null, "jdbc", "child"), "PRIVILEGE").size(), 7);
    checkEqual(rows(meta.getColumnPrivileges(null, "jdbc", "child", "a"), "PRIVILEGE").size(), 7);
  }

  static void routines(DatabaseMetaData meta) throws Exception {
    try (Statement s = meta.getConnection().createStatement()) {
      s.execute("CREATE DOMAIN jdbc.positive AS int CHECK (value > 0)");
    }
    checkEqual(rows(meta.getUDTs(null, "jdbc", "%", new int[] {Types.DISTINCT}), "TYPE_NAME"), List.of("positive"));
    check(rows(meta.getTypeInfo(), "TYPE_NAME").containsAll(List.of("int4", "text", "timestamptz", "jsonb", "uuid")), "types");
    checkEqual(rows(meta.getProcedures(null, "jdbc", "%"), "PROCEDURE_NAME"), List.of());
    checkEqual(rows(meta.getFunctions(null, "pg_catalog", "md5"), "FUNCTION_NAME"), List.of("md5", "md5"));
    checkEqual(rows(meta.getFunctionColumns(null, "pg_catalog", "initcap", "%"), "COLUMN_NAME", "TYPE_NAME"),
        List.of("returnValue text", "$1 text"));
    checkEqual(rows(meta.getProcedureColumns(null, "pg_catalog", "initcap", "%"), "COLUMN_NAME").size(), 2);
    checkEqual(rows(meta.getVersionColumns(null, "jdbc", "child"), "COLUMN_NAME"), List.of("ctid"));
    check(rows(meta.getCatalogs(), "TABLE_CAT").size() > 0, "catalogs");
    checkEqual(rows(meta.getTableTypes(), "TABLE_TYPE").contains("TABLE"), true);
    checkEqual(rows(meta.getClientInfoProperties(), "NAME"), List.of("ApplicationName"));
  }

  @SuppressWarnings("deprecation")
  static void pooling(String url) throws Exception {
    PGPoolingDataSource pool = new PGPoolingDataSource();
    pool.setDataSourceName("pool");
    pool.setUrl(url);
    pool.setMaxConnections(4);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<Integer>> results = new ArrayList<>();
    for (int n = 0; n < 16; n++) {
      results.add(threads.submit(() -> {
        try (Connection c = pool.getConnection()) {
          return count(c, "jdbc_rows");
        }
      }));
    }
    for (Future<Integer> one : results) checkEqual(one.get(), 202);
    threads.shutdown();
    pool.close();
    done("pooling");
  }
}
