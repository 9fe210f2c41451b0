/** Clients on several nodes that write the same keys of constraints that are looked at when a transaction ends. */
import { ownVersions } from "@quorate/keys/cluster-version";
import test from "ava";
import { Lab } from "./lab.ts";

for (const level of ["serializable", "read committed"]) {
	test.serial(`a key that several transactions bring in is had by one: ${level}`, async (t) => {
		const lab = new Lab(level.length, {});
		await lab.start(4);
		await lab.run(async () => {
			const newest = String(ownVersions.newest);
			while ((await lab.rows("SHOW cluster_version"))[0]?.[0] !== newest) {
				await lab.cluster.world.sleep(200);
			}
			await lab.rows(
				"CREATE TABLE slot (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
			);
		});
		await lab.run(() =>
			Promise.all(
				lab.connections.slice(1).map(async (connection, client) => {
					for (let round = 0; round < 12; round++) {
						const id = client * 100 + round;
						await lab.attempt(connection, [
							`BEGIN ISOLATION LEVEL ${level}`,
							`INSERT INTO slot VALUES (${id}, ${round})`,
							`INSERT INTO slot VALUES (${id + 1000}, ${round})`,
							`UPDATE slot SET place = ${round + 100} WHERE id = ${id + 1000}`,
							"COMMIT",
						]);
					}
				}),
			),
		);
		const rows = await lab.run(() =>
			lab.rows("SELECT place, count(*) FROM slot GROUP BY place ORDER BY place"),
		);
		t.deepEqual(
			rows,
			[...Array(12).keys(), ...Array.from({ length: 12 }, (_, i) => i + 100)].map((place) => [
				String(place),
				"1",
			]),
		);
		t.true(lab.codes.length > 0, "some came too late");
		for (const code of lab.codes) t.regex(code, /^(23505|40001|40P01) /);
		t.deepEqual(lab.cluster.problems, []);
	});
}
