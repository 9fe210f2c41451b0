/** What the parts of a host need of each other. Internal to this folder. */
import type { NodeId } from "@quorate/keys/ids";
import type { Runtime } from "@quorate/runtime/runtime";
import type { WalWrite } from "@quorate/wal/types";
import type { GroupDriver } from "./group-driver.ts";

export interface HostContext {
	readonly runtime: Runtime;
	/** The group may have something to do: the next pass looks. */
	touch(driver: GroupDriver): void;
	/** Outside of a pass, in order with those of the passes. */
	append(writes: readonly WalWrite[]): Promise<void>;
	removed(driver: GroupDriver): void;
	/** Somebody wants something of the group here, and it has a clock. */
	asked(driver: GroupDriver): void;
	/** It would stand for election, and has not had its turn. */
	waitsToStand(driver: GroupDriver): boolean;
	/** Nothing has been heard of the node since the connection to it was lost. */
	isLost(node: NodeId): boolean;
	/** It rests without members whose nodes are lost, or has kept its log for them: it is to hear when one of those is back. */
	missesSome(driver: GroupDriver): void;
	/** It has been at rest for long. */
	rests(driver: GroupDriver): void;
	/** Counts, for statistics. */
	applied(entries: number): void;
	leaderChanged(): void;
	/** Counts, for statistics. */
	writeDelayed(): void;
}
