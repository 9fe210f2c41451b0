// A database in the program: what it wrote is there when it runs again.
import pg from "pg";
import { Cluster } from "quorate";

const cluster = await Cluster.start({ dataDirectory: process.argv[2] ?? "data" });
const client = new pg.Client({ connectionString: cluster.connectionString });
await client.connect();
await client.query(
	"CREATE TABLE IF NOT EXISTS visit (id serial PRIMARY KEY, at timestamptz DEFAULT now())",
);
await client.query("INSERT INTO visit DEFAULT VALUES");
const { rows } = await client.query("SELECT count(*) FROM visit");
console.log(`visits: ${rows[0].count}`);
await client.end();
await cluster.stop();
