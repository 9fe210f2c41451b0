/** Damaged files and full disks, on real processes: short forms of what the soak does at length. */
import test from "ava";
import { ProcessCluster } from "./harness/process-cluster.ts";
import { prepareCrash } from "./scenarios/crash.ts";
import { fullDiskOf } from "./scenarios/full-disk.ts";
import { rebuildNode, unsafeRebuildIsRefused } from "./scenarios/rebuild.ts";
import { walKills } from "./scenarios/wal-kills.ts";
import { smallDisksImpossible } from "./soak/small-disk.ts";
import type { Attempt } from "./workload/outcome.ts";

test.serial(
	"a damaged node is rebuilt from the others, and carries a quorum afterwards",
	async (t) => {
		const cluster = await ProcessCluster.start();
		t.teardown(() => cluster.close());
		const sent: Attempt[] = [];
		const log = (line: string) => t.log(line);
		const base = { cluster, log, scale: 4, clientsPerNode: 2, pace: 30, sent };
		await prepareCrash({ ...base, ranges: 4 });
		t.deepEqual(await unsafeRebuildIsRefused({ cluster, log }), []);
		t.deepEqual(await rebuildNode({ ...base, seed: 1, victim: 1, damage: "wal" }), []);
	},
);

test.serial("a log that is killed has what it acknowledged", async (t) => {
	const log = (line: string) => t.log(line);
	t.deepEqual(await walKills({ kills: 8, pace: 150, seed: 2, log }), []);
});

const impossible = smallDisksImpossible();
const testFullDisk = impossible === undefined ? test.serial : test.serial.skip;
testFullDisk(
	`a full disk refuses writes, serves reads, and recovers (${impossible ?? "tmpfs"})`,
	async (t) => {
		const log = (line: string) => t.log(line);
		t.deepEqual(await fullDiskOf({ sizeMiB: 300, rounds: 1, pace: 20, log }), []);
	},
);
