/**
 * Simulation: a whole cluster in one process, from one seed.
 *
 * The code that runs is the code of production. What differs is the `Runtime` that it is given (`runtime/`): time is virtual
 * and jumps from event to event, so a minute of a cluster takes a second or less; the network delays, splits, holds back,
 * resets; disks forget what was not synced; processes crash between any two awaits, pause, come back; clocks lie. All
 * of that is drawn from the seed, so a run that went wrong can be had again, event by event.
 *
 * A `World` owns time, the event queue, the network and the trace; a `Machine` owns a disk and clocks, which outlive the
 * processes that run on it. `Machine.boot` starts a process and gives its runtime; the caller runs a node with it.
 * Clients of a cluster are machines too. The one who injects faults stands outside and calls methods of the world, its
 * machines, disks and links, at times which it draws from `world.random("...")`.
 *
 * - V1. One seed, one history: two runs have the same `traceHash`. Nothing of the world depends on real time, on the
 *   order of real I/O, or on what runs beside it in this process.
 * - V2. Between two events every promise job runs that the first one caused. An event is therefore as atomic as a turn
 *   of a real event loop, and a crash falls between two of them (or at a call of the runtime: `SimDisk.onOperation`).
 * - V3. After a crash nothing of the process happens: its timers, arriving bytes and completions are dropped, its
 *   promises never settle, and what it still calls in its last turn has no effect.
 * - V4. The network keeps what TCP promises and nothing more: the bytes of a connection arrive in order, each once, up to
 *   some point; between connections there is no order. Both ends learn of the end at different times, or never. Who asks for
 *   it (`Link.disorder`) gets writes that come twice and out of order: Raft's messages have to stand that, too.
 * - V5. A disk keeps what was synced when a sync returned. Of the rest a power failure keeps whatever it likes.
 * - V6. Timers follow the monotonic clock of their machine, whatever its rate; the wall clock may show anything.
 * - V7. Faults are counted by kind (`world.counts`): a run in which a fault never happened has tested nothing against it.
 *
 * A cluster (`cluster/`) is nodes started by the wiring of production on such machines, clients on keys (`run.ts`), on SQL
 * (`run-sql.ts`), and some that read the past (`run-history.ts`), and a nemesis with its faults (`cluster/faults/`). A seed draws what the run is like (`profile.ts`). Histories go to
 * `packages/checker`; a bank keeps its total; an index equals its table; the dead are out of the way soon (`liveness.ts`); at the end
 * no intent is left and replicas of a range are equal byte for byte. Meanwhile every entry that is applied anywhere, every value that
 * is served and every validation is held against L1 to L4 and T1 to T5 over all nodes, and replicas are compared wherever two of
 * them stand at the same applied index (`cluster/monitor/`). A node that stops itself is a failure, unless its disk has
 * failed: then going on would be one. Protections can be taken out (`Mutations`): each must turn a check red, or the check
 * proves nothing (`mutants.ts`; README.md has the table).
 *
 * What escapes from simulated code (an exception out of an event, a rejection that nobody handles) ends the run with
 * the seed in the message; in production it would have ended the process.
 *
 * Left out: time that computation takes (an event takes none, a deferred task one microsecond), memory, native
 * libraries (the storage engine under simulation is the one in memory), and threads: code that waits for real I/O, a
 * worker or `node:crypto`'s asynchronous calls leaves the simulation.
 *
 * May import: everything.
 */
import type { Machine } from "./runtime/machine.ts";
import { World, type WorldOptions } from "./runtime/world.ts";

/** A world with machines 1 to `count`. */
export function createWorld(
	seed: number,
	count: number,
	options: WorldOptions = {},
): { readonly world: World; readonly machines: readonly Machine[] } {
	const world = new World(seed, options);
	const machines = Array.from({ length: count }, (_, i) => world.addMachine(i + 1));
	return { world, machines };
}
