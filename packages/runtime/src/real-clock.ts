import { performance } from "node:perf_hooks";
import type { Clock } from "./runtime.ts";

export const realClock: Clock = {
	monotonicMs: () => performance.now(),
	wallMs: () => Date.now(),
};
