/**
 * How a node's process is begun. What a process allocates outside of JavaScript comes from glibc, which by default keeps an
 * arena for each thread, and raises the size from which a block is mapped by itself (and given back by itself) to what was freed
 * last: after a bulk load the node then keeps several times what it uses. It reads its settings before the first line of a
 * program runs, so they are in the environment of the process; elsewhere than on glibc they do nothing. The launcher names the
 * same in its first line, for who starts a node from a shell: `node-program.test.ts` compares the two.
 */
import { fileURLToPath } from "node:url";

export const allocatorSettings: readonly string[] = [
	"MALLOC_ARENA_MAX=1",
	"MALLOC_MMAP_THRESHOLD_=32768",
	"MALLOC_TOP_PAD_=0",
	"MALLOC_TRIM_THRESHOLD_=131072",
];

export const launcher = fileURLToPath(new URL("../bin/quorate.js", import.meta.url));

/** The program of a node and its first arguments. `flags` are of Node.js, for example --cpu-prof. */
export const nodeProgram = (flags: readonly string[] = []): readonly string[] => [
	"env",
	...allocatorSettings,
	process.execPath,
	...flags,
	launcher,
];
