/** One start of the program on a machine, from boot to crash. */
import type { Runtime } from "@quorate/runtime/runtime";
import type { Machine } from "./machine.ts";

/** Thrown by `fatal` of a simulated process; nothing of that process has an effect any more. */
export class ProcessCrashedError extends Error {
	override readonly name = "ProcessCrashedError";
}

export class SimProcess {
	readonly machine: Machine;
	alive = true;
	/** Until then the process is stopped, as by SIGSTOP: its events wait. */
	resumeAtUs = 0;
	/** Set right after construction: the runtime needs the process. */
	runtime!: Runtime;

	constructor(machine: Machine) {
		this.machine = machine;
	}
}
