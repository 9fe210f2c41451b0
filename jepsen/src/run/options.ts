/** What a run is told by its environment: `make jepsen TEST=bank NEMESIS=kill` hands its variables on. */
import type { Mutations } from "@quorate/keys/mutations";
import { nemeses } from "../nemesis/all.ts";
import { fakedClocksImpossible } from "../nodes/faked-clock.ts";
import { workloads } from "../workloads/all.ts";

export interface RunOptions {
	readonly test: string;
	readonly nemesis: string;
	readonly timeMs: number;
	/** Instead of a time: so many operations. */
	readonly operations: number | undefined;
	readonly nodes: number;
	readonly concurrency: number;
	readonly seed: number;
	readonly mutation: keyof Mutations | undefined;
	/** Where stores go. */
	readonly store: string;
	/** Each fault stays between these. */
	readonly faultMs: readonly [number, number];
	readonly useProxies: boolean;
}

/** Of the run as a whole: `TEST=all`, or several names with commas. */
export function readOptions(environment: NodeJS.ProcessEnv, store: string): readonly RunOptions[] {
	const get = (name: string, otherwise: string) => environment[name] || otherwise;
	const number = (name: string, otherwise: number, least: number): number => {
		const value = Number(get(name, String(otherwise)));
		if (!Number.isInteger(value) || value < least) {
			throw new Error(`${name} is a whole number, at least ${least}`);
		}
		return value;
	};
	const test = get("TEST", "list-append");
	const tests = test === "all" ? [...workloads.keys()] : test.split(",");
	const nemesesAsked = get("NEMESIS", "mixed").split(",");
	known("TEST", tests, workloads);
	known("NEMESIS", nemesesAsked, nemeses);
	const nodes = number("NODES", 5, 1);
	const askedMs = 1000 * number("FAULT", 1, 1);
	const faultMs: readonly [number, number] = environment["FAULT"]
		? [askedMs, askedMs]
		: [2_000, 5_000];
	const base = {
		timeMs: 1000 * number("TIME", 60, 1),
		operations: environment["OPS"] ? number("OPS", 0, 1) : undefined,
		nodes,
		concurrency: number("CONCURRENCY", 2 * nodes, 1),
		seed: number("SEED", Math.floor(Date.now() / 1000) % 1_000_000, 0),
		mutation: (environment["MUTANT"] || undefined) as keyof Mutations | undefined,
		store,
		faultMs,
		useProxies: get("NETWORK", "") === "proxies",
	};
	for (const name of nemesesAsked) {
		const { nodesMin = 1, fakesClocks = false } = nemeses.get(name)!();
		const impossible = fakesClocks ? fakedClocksImpossible() : undefined;
		if (impossible !== undefined) throw new Error(`NEMESIS=${name}: ${impossible}`);
		if (nodes < nodesMin) throw new Error(`NEMESIS=${name} needs NODES=${nodesMin}`);
	}
	const runs = tests.flatMap((name) => nemesesAsked.map((nemesis) => ({ test: name, nemesis })));
	// Each with faults of its own.
	return runs.map((run, i) => ({ ...base, ...run, seed: base.seed + i }));
}

function known(what: string, names: readonly string[], all: ReadonlyMap<string, unknown>): void {
	const unknown = names.filter((name) => !all.has(name));
	if (unknown.length > 0) {
		throw new Error(`${what}=${unknown.join()} is none of: ${[...all.keys()].join(", ")}`);
	}
}
