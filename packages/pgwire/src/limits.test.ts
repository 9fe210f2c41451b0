import test from "ava";
import { defaultLimits, limitsForDescriptors } from "./limits.ts";

test("clients never take all descriptors", (t) => {
	for (const descriptors of [80, 128, 256, 1024, 4096, 65_536, 1_048_576]) {
		const { connectionsMax, startingMax } = limitsForDescriptors(descriptors);
		const left = descriptors - connectionsMax - startingMax;
		t.true(
			left >= 64 && left >= Math.min(1024, descriptors / 4 - 1),
			`${descriptors}: ${left} left`,
		);
		t.true(connectionsMax >= 1 && startingMax >= 1);
	}
	t.like(limitsForDescriptors(1_048_576), {
		connectionsMax: defaultLimits.connectionsMax,
		startingMax: defaultLimits.startingMax,
	});
});
