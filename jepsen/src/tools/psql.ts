/** psql without its start-up file and prompts. */
import type { NodeProcess } from "../harness/node-process.ts";
import {
	type ProgramResult,
	type RunningProgram,
	runProgram,
	startProgram,
} from "./run-program.ts";

const quiet = ["--no-psqlrc", "--set", "ON_ERROR_STOP=1"];

export function psql(
	node: NodeProcess,
	args: readonly string[],
	input = "",
): Promise<ProgramResult> {
	return runProgram("psql", [...quiet, ...args], node, input);
}

/** One that reads what the test writes, as long as it writes. */
export function startPsql(node: NodeProcess, args: readonly string[]): RunningProgram {
	return startProgram("psql", [...quiet, ...args], node);
}
