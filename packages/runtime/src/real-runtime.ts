/**
 * The seam on a real machine: Node's clock, timers, sockets and files, put together for one process.
 *
 * May import: nothing of the project. Node's own modules are imported here (`real-*.ts`) and nowhere else.
 */
import { mkdirSync, realpathSync, writeSync } from "node:fs";
import { realClock } from "./real-clock.ts";
import { RealDisk } from "./real-disk.ts";
import { LineLogger } from "./real-logger.ts";
import { RealNetwork } from "./real-network.ts";
import { realRandom } from "./real-random.ts";
import { RealScheduler } from "./real-scheduler.ts";
import type { LogLevel, Runtime } from "./runtime.ts";

/** EX_SOFTWARE of sysexits.h: a supervisor can tell this exit from a crash and from a normal end. */
const EXIT_CODE_FATAL = 70;
const STDERR = 2;

export interface RealRuntimeOptions {
	/** Made if it does not exist. Without it every access to the disk rejects. */
	readonly dataDirectory?: string;
	readonly logLevel: LogLevel;
	/** Where log lines go, without the line end; standard error by default. */
	readonly logSink?: (line: string) => void;
}

/** Synchronous, so that the last line before an exit is not lost. A closed or full stderr must not stop a node. */
function writeToStderr(line: string): void {
	try {
		writeSync(STDERR, `${line}\n`);
	} catch {
		// Nobody is left to tell.
	}
}

export function createRealRuntime(options: RealRuntimeOptions): Runtime {
	let root: string | undefined;
	if (options.dataDirectory !== undefined) {
		mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });
		root = realpathSync(options.dataDirectory);
	}
	const logger = new LineLogger(
		options.logLevel,
		() => realClock.wallMs(),
		options.logSink ?? writeToStderr,
	);
	return {
		clock: realClock,
		scheduler: new RealScheduler(),
		random: realRandom,
		network: new RealNetwork(),
		disk: new RealDisk(root),
		files: new RealDisk("/"),
		logger,
		fatal: (reason) => {
			logger.log("error", "stopping: it is not safe to go on", { reason });
			// Nothing may run after this: no exit hook, no destructor that would still write.
			process.removeAllListeners("exit");
			process.exit(EXIT_CODE_FATAL);
		},
	};
}
