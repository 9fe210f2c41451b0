/** A cluster of one node for the tests of a file. */
import { Cluster } from "@quorate/embedded/cluster";
import { ownVersions } from "@quorate/keys/cluster-version";
import test from "ava";
import pg from "pg";

/** Where it listens; it ends with the file. */
export function served(): () => string {
	let cluster: Cluster | undefined;
	// Before what a file does first of all: hooks that are not serial run at the same time, behind those that are.
	test.serial.before(async () => {
		cluster = await Cluster.start();
		await grown(cluster.connectionString);
	});
	test.after.always(() => cluster?.stop());
	return () => cluster!.connectionString;
}

/** A cluster is born at its first version, and is at its builds' newest a moment later: some statements need that. */
async function grown(url: string): Promise<void> {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	for (;;) {
		const { rows } = await client.query("SHOW cluster_version");
		if (rows[0].cluster_version === String(ownVersions.newest)) break;
	}
	await client.end();
}
