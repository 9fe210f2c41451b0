/** A cluster of one node for the tests of a file. */
import { Cluster } from "@quorate/embedded/cluster";
import test from "ava";

/** Where it listens; it ends with the file. */
export function served(): () => string {
	let cluster: Cluster | undefined;
	test.before(async () => {
		cluster = await Cluster.start();
	});
	test.after.always(() => cluster?.stop());
	return () => cluster!.connectionString;
}
