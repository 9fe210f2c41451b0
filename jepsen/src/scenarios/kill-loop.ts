/** Nodes are killed again and again under load: one, or all at once. Every acknowledged transaction is there, none that failed is. */
import { summary } from "../workload/outcome.ts";
import { SeededRandom } from "../workload/random.ts";
import { readState, violations } from "../workload/tpcb-check.ts";
import { TpcbLoad } from "../workload/tpcb-load.ts";
import type { CrashOptions } from "./crash.ts";
import type { Violations } from "./scenario.ts";

export interface KillLoopOptions extends CrashOptions {
	readonly kills: number;
}

/** Every so many kills all nodes at once, and what is there is compared. */
const allEvery = 5;

export async function killLoop(options: KillLoopOptions): Promise<Violations> {
	const { cluster, kills, pace, log, sent } = options;
	const random = new SeededRandom(options.seed);
	const found: string[] = [];
	for (let kill = 1; kill <= kills && found.length === 0; ) {
		const load = new TpcbLoad({ ...options, seed: options.seed + kill });
		const last = Math.min(kills, kill + allEvery - 1);
		for (; kill <= last; kill++) {
			await load.more(random.between(1, pace));
			if (kill === last) {
				await cluster.killAll();
			} else {
				await cluster.node(random.between(1, cluster.nodes.length)).kill();
			}
			await cluster.startAll();
		}
		await load.more(pace);
		const attempts = await load.stop();
		cluster.throwIfEnded();
		sent.push(...attempts);
		const client = await cluster.node(random.between(1, cluster.nodes.length)).connect();
		found.push(...violations(sent, await readState(client)));
		await client.end();
		log(`${last} of ${kills} kills; ${summary(attempts)}`);
	}
	return found;
}
