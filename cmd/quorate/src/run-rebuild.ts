/** `quorate node rebuild`: see `packages/server/src/rebuild.ts`. */
import { existsSync } from "node:fs";
import { checkAddress } from "./preflight.ts";
import { UserError } from "./user-error.ts";

export interface RebuildFlags {
	readonly data: string;
	readonly join: string;
	readonly listen: string;
	readonly force: boolean;
}

/** Resolves with the exit code. */
export async function runRebuild(flags: RebuildFlags): Promise<number> {
	const join = flags.join.split(",").map((address) => address.trim());
	const others = join.filter((address) => address !== "");
	for (const address of others) {
		checkAddress("--join", address);
	}
	if (flags.listen !== "") {
		checkAddress("--listen", flags.listen);
	}
	if (!existsSync(flags.data)) {
		throw new UserError(`there is no directory ${flags.data}`);
	}
	const { createRealRuntime } = await import("@quorate/runtime/real-runtime");
	const { rebuildNode } = await import("@quorate/server/rebuild");
	const runtime = createRealRuntime({ logLevel: "error", dataDirectory: flags.data });
	const { identity, ranges } = await rebuildNode({
		runtime,
		join: others,
		address: flags.listen,
		force: flags.force,
	});
	console.log(`quorate: what node ${identity.nodeId} held in ${flags.data} was discarded`);
	const what = ranges === undefined ? "its ranges" : `its ${ranges} ranges`;
	console.log(`quorate: start it as before: ${what} will be copied from the other nodes`);
	return 0;
}
