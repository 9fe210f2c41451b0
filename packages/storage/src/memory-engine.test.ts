import test from "ava";
import { engineSuite } from "./engine-suite.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { versionsSuite } from "./versions-suite.ts";

engineSuite(test, async () => new MemoryEngine(), 500);
versionsSuite(test, async () => new MemoryEngine(), 500);
