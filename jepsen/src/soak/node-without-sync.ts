/**
 * A node whose disk lies: it says that it has synced, and has done nothing. It is a program of its own, so that no flag of `quorate
 * start` can turn durability off; it exists to show that the power-loss check fails where it should.
 */

import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Disk, DiskFile } from "@quorate/runtime/runtime";
import { startNode } from "@quorate/server/node";
import { openRocksEngine } from "@quorate/storage/rocks-engine";
import { Command } from "commander";
import type { NodeOptions, RunningNode } from "quorate/node-adapter";
import { runStart, type StartFlags } from "quorate/run-node";
import { overridden } from "../nodes/overridden.ts";

function withoutSync(disk: Disk): Disk {
	const open = async (path: string, mode: "create" | "existing"): Promise<DiskFile> =>
		overridden(await disk.open(path, mode), { sync: async () => undefined });
	return overridden(disk, { open, openDurable: open });
}

async function startWithoutSync(options: NodeOptions): Promise<RunningNode> {
	const { dataDirectory, logLevel, engine: _engine, ...rest } = options;
	if (dataDirectory === undefined) {
		throw new Error("power loss needs a disk");
	}
	const real = createRealRuntime({ logLevel, dataDirectory });
	const runtime = { ...real, disk: withoutSync(real.disk) };
	return startNode({
		runtime,
		...rest,
		openEngine: () => openRocksEngine(real.disk, "engine", { node: runtime }),
	});
}

const flags: Command = new Command()
	.command("start")
	.requiredOption("--join <addresses>")
	.requiredOption("--data <directory>")
	.requiredOption("--listen <address>")
	.requiredOption("--sql <address>")
	.requiredOption("--admin <address>")
	.action(async (given: Omit<StartFlags, "locality" | "engine" | "logLevel">) => {
		const all = { ...given, locality: "", engine: "rocksdb", logLevel: "info" };
		process.exit(await runStart(all, startWithoutSync));
	});
await flags.parent!.parseAsync();
