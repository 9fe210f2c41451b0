/** What a program says when it starts a cluster, checked. */
import type { LogLevel } from "@quorate/runtime/runtime";
import { ClusterError } from "./cluster-error.ts";
import type { ClusterOptions } from "./types.ts";

export interface CheckedOptions {
	/** Undefined: as many as the data directory has, else one. */
	readonly nodes: number | undefined;
	readonly dataDirectory: string | undefined;
	readonly port: number | undefined;
	readonly logLevel: LogLevel;
	readonly log: ((line: string) => void) | undefined;
}

export const nodesMax = 9;
const names: ReadonlySet<string> = new Set(["nodes", "dataDirectory", "port", "logLevel", "log"]);
const logLevels: readonly unknown[] = ["debug", "info", "warn", "error"];

export function checkOptions(options: ClusterOptions): CheckedOptions {
	const unknown = Object.keys(options).find((name) => !names.has(name));
	if (unknown !== undefined) {
		throw new ClusterError(`there is no option \`${unknown}\`; there are ${[...names].join(", ")}`);
	}
	const { nodes, dataDirectory, port, logLevel, log } = options;
	if (nodes !== undefined) checkNumber("nodes", nodes, 1, nodesMax);
	if (port !== undefined) checkNumber("port", port, 1, 65_535 - nodesMax);
	if (dataDirectory !== undefined && (typeof dataDirectory !== "string" || dataDirectory === "")) {
		throw new ClusterError(
			"`dataDirectory` must be the path of a directory; leave it out for memory",
		);
	}
	if (logLevel !== undefined && !logLevels.includes(logLevel)) {
		throw new ClusterError(`\`logLevel\` must be one of ${logLevels.join(", ")}`);
	}
	return { nodes, dataDirectory, port, logLevel: logLevel ?? "error", log };
}

function checkNumber(name: string, value: unknown, min: number, max: number): void {
	if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
		throw new ClusterError(
			`\`${name}\` must be a whole number from ${min} to ${max}, not ${value}`,
		);
	}
}

/**
 * The group of each position. A list names nodes by position or by themselves; those that no list names are a group of
 * their own.
 */
export function checkGroups<N extends object>(
	lists: readonly (readonly (number | N)[])[],
	nodes: readonly N[],
): Map<number, number> {
	if (lists.length === 0) {
		throw new ClusterError("name at least one group of nodes to cut off, for example [0]");
	}
	const groups = new Map<number, number>();
	for (const [group, list] of lists.entries()) {
		if (!Array.isArray(list)) {
			throw new ClusterError(
				"each group is a list of nodes, for example [0] or [cluster.nodes[0]]",
			);
		}
		for (const one of list) {
			const position = typeof one === "number" ? one : nodes.indexOf(one);
			if (nodes[position] === undefined) {
				const last = nodes.length - 1;
				throw new ClusterError(
					`${String(one)} is no node of this cluster; positions are 0 to ${last}`,
				);
			}
			if (groups.has(position)) {
				throw new ClusterError(`cluster.nodes[${position}] is in two groups`);
			}
			groups.set(position, group);
		}
	}
	return groups;
}
