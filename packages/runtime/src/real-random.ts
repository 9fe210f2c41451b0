import { randomFillSync } from "node:crypto";
import type { Random } from "./runtime.ts";

export const realRandom: Random = {
	float: () => Math.random(),
	bytes: (count) => randomFillSync(new Uint8Array(count)),
};
