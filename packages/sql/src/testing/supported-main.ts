/** Writes docs/sql.md, and the table in README.md: `npm run supported -w packages/sql`. */
import { readFileSync, writeFileSync } from "node:fs";
import { readmeFile, supported, supportedFile, withTable } from "./supported.ts";

writeFileSync(supportedFile, supported());
writeFileSync(readmeFile, withTable(readFileSync(readmeFile, "utf8")));
