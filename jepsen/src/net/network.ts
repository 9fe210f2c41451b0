/** What stands between the nodes of a run, and can be cut. Clients always reach a node that runs. Nodes are counted from 0. */
export interface NodePlace {
	readonly host: string;
	readonly sqlPort: number;
	readonly peerPort: number;
	readonly adminPort: number;
	/** What a program of the node is started with, to be where the node is. */
	readonly wrap: readonly string[];
	/** Where this node's connections to addresses go instead, if they cannot go straight. */
	readonly via: Readonly<Record<string, string>>;
}

/** What one node sends another does not arrive; the other direction is a link of its own. */
export type Link = readonly [from: number, to: number];

export interface Network {
	readonly kind: string;
	readonly places: readonly NodePlace[];
	/** Silently: connections stay, and say nothing. Replaces what was cut before. */
	cut(links: readonly Link[]): void;
	/** Nodes whose packets are slow, and lost where they are too many. Says how. */
	slow(nodes: readonly number[]): string;
	/** All links are whole and fast again. */
	heal(): void;
	close(): void;
}

export const allLinks = (nodes: readonly number[]): readonly Link[] =>
	nodes.flatMap((a) => nodes.flatMap((b): Link[] => (a === b ? [] : [[a, b]])));

/** Between groups nothing arrives, in neither direction. */
export function between(groups: readonly (readonly number[])[]): readonly Link[] {
	const groupOf = new Map(groups.flatMap((group, i) => group.map((node) => [node, i] as const)));
	return allLinks([...groupOf.keys()]).filter(([a, b]) => groupOf.get(a) !== groupOf.get(b));
}
