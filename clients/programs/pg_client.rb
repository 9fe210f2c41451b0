# ruby-pg, as Debian has it: one line a part that held.
require "pg"

def done(part)
  puts part
  $stdout.flush
end

def check(condition, what = nil)
  raise "does not hold: #{what.inspect}" unless condition
end

url = ARGV[0]
connection = PG.connect(url)
check connection.server_version / 10_000 == 15
check connection.internal_encoding == Encoding::UTF_8 || connection.get_client_encoding == "UTF8"
done "connect"

connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
connection.type_map_for_queries = PG::BasicTypeMapForQueries.new(connection)
connection.exec("CREATE TABLE ruby_types (i int, b bigint, f float8, t text, o bool, y bytea, a int[], n numeric)")
text = "é \\ ' \" 日 😀\n"
connection.exec_params(
  "INSERT INTO ruby_types VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
  [1, 2**62, -1.5e300, text, true, PG::BasicTypeMapForQueries::BinaryData.new("\x00\xFF\\".b), [1, nil, 3], "12.50"]
)
row = connection.exec("SELECT * FROM ruby_types").values[0]
check row[0..6] == [1, 2**62, -1.5e300, text, true, "\x00\xFF\\".b, [1, nil, 3]], row
check row[7].to_s("F") == "12.5", row[7]
binary = connection.exec_params("SELECT i, b, t FROM ruby_types", [], 1).values[0]
check binary == [1, 2**62, text], binary
done "types"

connection.exec("CREATE TABLE ruby_rows (id serial PRIMARY KEY, v int UNIQUE)")
connection.transaction { |own| own.exec("INSERT INTO ruby_rows (v) SELECT n FROM generate_series(0, 199) n") }
begin
  connection.transaction do |own|
    own.exec("DELETE FROM ruby_rows")
    raise "undone"
  end
rescue RuntimeError
  nil
end
check connection.exec("SELECT count(*) FROM ruby_rows").getvalue(0, 0) == 200
done "transactions"

{
  "INSERT INTO ruby_rows (v) VALUES (1)" => PG::UniqueViolation,
  "SELECT * FROM nosuch" => PG::UndefinedTable,
  "SELECT 1/0" => PG::DivisionByZero,
  "SELEC 1" => PG::SyntaxError
}.each do |statement, kind|
  connection.exec(statement)
  raise "no error: #{statement}"
rescue kind => e
  check e.result.error_field(PG::PG_DIAG_SQLSTATE).length == 5
end
done "errors"

connection.prepare("by_id", "SELECT v FROM ruby_rows WHERE id = $1")
check connection.exec_prepared("by_id", [7]).getvalue(0, 0) == 6
done "prepared"

pool = Queue.new
3.times { pool << PG.connect(url) }
answers = Array.new(30) do |n|
  Thread.new do
    own = pool.pop
    own.exec_params("SELECT $1::int", [n]).getvalue(0, 0).to_i
  ensure
    pool << own
  end
end.map(&:value)
check answers == (0..29).to_a, answers
pool.pop.close until pool.empty?
done "pooling"

connection.transaction do |own|
  own.exec("DECLARE c CURSOR FOR SELECT id FROM ruby_rows ORDER BY id")
  check own.exec("FETCH 150 FROM c").ntuples == 150
  check own.exec("FETCH 150 FROM c").ntuples == 50
end
seen = 0
connection.send_query("SELECT id FROM ruby_rows")
connection.set_single_row_mode
connection.get_result.stream_each { |_| seen += 1 }
connection.get_result
check seen == 200, seen
done "cursors"

connection.copy_data("COPY ruby_rows (v) FROM STDIN") { 3.times { |n| connection.put_copy_data("#{5000 + n}\n") } }
lines = []
connection.copy_data("COPY (SELECT v FROM ruby_rows WHERE v >= 5000 ORDER BY v) TO STDOUT") do
  while (line = connection.get_copy_data)
    lines << line
  end
end
check lines == ["5000\n", "5001\n", "5002\n"], lines
done "copy"

listener = PG.connect(url)
listener.exec("LISTEN ruby_news")
connection.exec("NOTIFY ruby_news, 'hello'")
payload = nil
listener.wait_for_notify(20) { |_, _, text_of| payload = text_of }
check payload == "hello", payload
listener.close
connection.close
done "notifications"
