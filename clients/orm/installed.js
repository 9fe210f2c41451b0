/** Whether `npm ci --prefix clients/orm` was done; where not, the tests say so and are skipped. */
import { existsSync } from "node:fs";

export const installed = existsSync(new URL("node_modules/.package-lock.json", import.meta.url));

/** Adds what is missing to a test's title. */
export const titled = (title) => (installed ? title : `${title} (npm ci --prefix clients/orm)`);
