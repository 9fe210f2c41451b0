/**
 * Of threads of tests, and of programs that tests start: a quarter of their time was V8's optimizing compiler's, for what ends soon.
 * It waits a little longer, and inlines less.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--interrupt-budget=150000");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=200");
