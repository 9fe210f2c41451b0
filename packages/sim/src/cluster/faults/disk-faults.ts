/** Disks that are slow, full, or broken. A node that was told of an error must stop; one that finds damage must not start. */
import type { Nemesis } from "../nemesis.ts";

export async function slowDisk(n: Nemesis): Promise<void> {
	const node = n.node();
	const { faults: disk } = node.machine.disk;
	n.say(`the disk of ${node} is slow`);
	disk.slowSyncRate = n.random.between(0.1, 1);
	disk.slowSyncMs = n.random.between(20, 600);
	node.engineDisk.slowness = 50;
	await n.sleep(500, 5_000);
	disk.slowSyncRate = 0;
	node.engineDisk.slowness = 1;
}

/** EIO now and then: on write, on sync (or ENOSPC there), on read. The node stops, or its start fails; then the disk works again. */
export async function failingDisk(n: Nemesis): Promise<void> {
	const node = n.victim();
	const { faults: disk } = node.machine.disk;
	const form = n.random.pick(["write", "sync", "read", "engine"] as const);
	n.say(`the disk of ${node} fails to ${form}`);
	node.mayStop = true;
	const rate = n.random.between(0.02, 1);
	if (form === "write") disk.writeErrorRate = rate;
	if (form === "sync") {
		disk.syncErrorRate = rate;
		disk.syncError = n.random.pick(["EIO", "ENOSPC"] as const);
	}
	if (form === "read") disk.readErrorRate = rate;
	if (form === "engine") node.engineDisk.syncErrorRate = rate;
	// Files are read when a node starts.
	if (form === "read" && node.isUp) {
		node.crash("process");
		node.start();
	}
	await n.sleep(200, 2_500);
	node.disksWork();
	if (node.isUp && node.keyValue === undefined) await n.sleep(500, 1_000);
	if (!node.isUp) {
		await n.sleep(0, 1_000);
		if (!node.isUp) node.start();
	}
	node.mayStop = false;
}

/** ENOSPC on write; later somebody makes room. */
export async function fullDisk(n: Nemesis): Promise<void> {
	const node = n.node();
	const { disk } = node.machine;
	const used = disk.files().reduce((sum, file) => sum + file.sizeBytes, 0);
	n.say(`the disk of ${node} is full`);
	node.mayStop = true;
	disk.faults.capacityBytes = used + n.random.below(20_000);
	await n.sleep(500, 4_000);
	node.disksWork();
	if (!node.isUp) node.start();
	node.mayStop = false;
}

/**
 * A bit of what was durable turns while the node is down: it must refuse to start, or not need the bit. The last write of the
 * log's last segment is spared: damage there cannot be told from a torn write.
 */
export async function bitFlips(n: Nemesis): Promise<void> {
	const node = n.node();
	if (n.exclusive.has("bit-flip") || !node.isUp) return;
	n.exclusive.add("bit-flip");
	node.crash("process");
	const { disk } = node.machine;
	const flipped = disk.flipRandomBit(undefined, true);
	n.say(`a bit turns on ${node}: ${flipped?.where ?? "nowhere"}`);
	node.mayStop = true;
	node.refusal = "";
	node.start();
	await Promise.race([node.ended, n.sleep(400, 800)]);
	// Who serves has read all that it needs.
	if (node.keyValue === undefined) {
		if (node.refusal !== "") n.cluster.world.count("damage-refused");
		n.say(`${node} does not serve: ${node.refusal}`);
		if (node.isUp) node.crash("process");
		flipped?.undo();
		node.start();
	}
	node.mayStop = false;
	n.exclusive.delete("bit-flip");
}
