/** Clocks that run at the wrong rate and jump. Nothing may follow from it but delay. */
import type { Nemesis } from "../nemesis.ts";

export async function wrongClock(n: Nemesis): Promise<void> {
	const node = n.random.chance(0.4) ? n.controller() : n.node();
	const rate = n.random.chance(0.5) ? n.random.between(0.05, 1) : n.random.between(1, 5);
	const jumpMs = n.random.between(-1, 1) * 86_400_000;
	n.say(`the clock of ${node} runs at ${rate.toFixed(2)} and jumps ${jumpMs.toFixed(0)} ms`);
	node.machine.setClockRate(rate);
	node.machine.jumpWall(jumpMs);
	await n.sleep(500, 6_000);
	node.machine.setClockRate(1);
}
