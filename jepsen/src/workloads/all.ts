/** All workloads, in the order in which they run. */
import { bank } from "./bank.ts";
import { ddl, indexes } from "./indexes.ts";
import { large } from "./large.ts";
import { listAppend } from "./list-append.ts";
import { causalReverse, longFork, monotonic, sequential } from "./order.ts";
import { g2, registers } from "./registers.ts";
import { lock, notify } from "./sessions.ts";
import { ids, set } from "./sets.ts";
import { singleKeys } from "./single-keys.ts";
import type { MakeWorkload } from "./workload.ts";

export const workloads: ReadonlyMap<string, MakeWorkload> = new Map<string, MakeWorkload>([
	["list-append", () => listAppend()],
	["rw-register", registers],
	["bank", bank],
	["register", singleKeys],
	["set", set],
	["ids", ids],
	["monotonic", monotonic],
	["sequential", sequential],
	["long-fork", longFork],
	["g2", g2],
	["comments", causalReverse],
	["indexes", indexes],
	["ddl", ddl],
	["lock", lock],
	["notify", notify],
	["large", large],
]);
