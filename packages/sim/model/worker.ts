/** A thread that walks blocks of walks, as many as it is given. */
import { parentPort, workerData } from "node:worker_threads";
import type { MutationName } from "./mutations.ts";
import { newCounts } from "./state.ts";
import { type Failure, walk } from "./walk.ts";

export interface WorkerOptions {
	readonly seed: number;
	readonly without: MutationName | undefined;
}

/** Walks `first` up to, not including, `end`. */
export interface Block {
	readonly first: number;
	readonly end: number;
}

export interface BlockResult {
	readonly block: Block;
	/** The lowest walk of the block that failed. */
	readonly failed: { readonly walk: number; readonly failure: Failure } | undefined;
	readonly counts: Record<string, number>;
}

export function walkBlock({ seed, without }: WorkerOptions, block: Block): BlockResult {
	const counts = newCounts();
	for (let n = block.first; n < block.end; n++) {
		const failure = walk({ seed, walk: n, without, counts });
		if (failure !== undefined) {
			return { block, failed: { walk: n, failure }, counts: { ...counts } };
		}
	}
	return { block, failed: undefined, counts: { ...counts } };
}

parentPort?.on("message", (block: Block) => {
	parentPort!.postMessage(walkBlock(workerData as WorkerOptions, block));
});
