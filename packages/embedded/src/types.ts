/** What a program sees of a cluster that it runs. This file imports nothing: it is published as it is. */

export interface ClusterOptions {
	/** How many nodes, 1 to 9. Default: 1, or as many as the data directory was made with. */
	readonly nodes?: number;
	/**
	 * Where the data is kept; made if it does not exist. Needs RocksDB's binary (Linux x64 with glibc, macOS arm64). Without it
	 * everything is in memory and gone when the cluster stops.
	 */
	readonly dataDirectory?: string;
	/** SQL port of the first node; the others follow. Default: free ports. */
	readonly port?: number;
	/** What the nodes log, default "error": nothing as long as all is well. */
	readonly logLevel?: "debug" | "info" | "warn" | "error";
	/** Where log lines go (JSON, without the line end). Default: standard error. */
	readonly log?: (line: string) => void;
}

export interface ClusterNode {
	/** From 1, in the order of `cluster.nodes`. */
	readonly id: number;
	/** For any PostgreSQL driver: this node. It stays the same over restarts. */
	readonly connectionString: string;
	/** Whether it serves. */
	readonly isRunning: boolean;
	/**
	 * Crashes the node, as `kill -9` does: connections break, everything in its memory is gone, transactions that it coordinates are
	 * left as they are. What it had written stays on its disk (in memory, without `dataDirectory`), synced or not. Resolves when
	 * its ports are closed. Does nothing if it is down.
	 */
	kill(): Promise<void>;
	/**
	 * Starts it again on the same disk and the same ports, after killing it if it runs. Resolves when it serves, for which it needs a
	 * majority: after a kill of most nodes restart them together, with `Promise.all`.
	 */
	restart(): Promise<void>;
}
