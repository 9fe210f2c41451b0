// The program under test: it moves money, and tries again after what passes. A CommonJS module, so that every runner can load it.

const schema =
	"CREATE TABLE account (id serial PRIMARY KEY, owner text NOT NULL, balance int NOT NULL CHECK (balance >= 0))";

/** 40001 and 40P01: conflicts. 57P03: no majority answers now. Transactions that failed with these have done nothing. */
const passing = new Set(["40001", "40P01", "57P03"]);

async function transfer(pool, from, to, amount) {
	for (let attempt = 1; ; attempt++) {
		const client = await pool.connect();
		try {
			await client.query("BEGIN");
			const sql = "UPDATE account SET balance = balance + $1 WHERE id = $2";
			await client.query(sql, [-amount, from]);
			await client.query(sql, [amount, to]);
			await client.query("COMMIT");
			return;
		} catch (error) {
			await client.query("ROLLBACK");
			if (!passing.has(error.code) || attempt === 10) throw error;
		} finally {
			client.release();
		}
	}
}

module.exports = { schema, transfer };
