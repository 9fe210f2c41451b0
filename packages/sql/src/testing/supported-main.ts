/** Writes docs/sql.md: `npm run supported -w packages/sql`. */
import { writeFileSync } from "node:fs";
import { supported, supportedFile } from "./supported.ts";

writeFileSync(supportedFile, supported());
