/** The console's page and what it loads: files of this package, and the chart library as npm has installed it. Nothing is made of them. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConsoleFiles } from "@quorate/server/admin";

const html = "text/html; charset=utf-8";
const script = "text/javascript; charset=utf-8";
const style = "text/css; charset=utf-8";

export function readConsoleFiles(): ConsoleFiles {
	const page = pageDirectory();
	const chart = dirname(createRequire(import.meta.url).resolve("uplot/dist/uPlot.esm.js"));
	const file = (type: string, ...path: readonly string[]) => ({
		type,
		body: readFileSync(join(...path), "utf8"),
	});
	return new Map([
		["/", file(html, page, "index.html")],
		["/console/console.js", file(script, page, "console.js")],
		["/console/console.css", file(style, page, "console.css")],
		["/console/chart.js", file(script, chart, "uPlot.esm.js")],
		["/console/chart.css", file(style, chart, "uPlot.min.css")],
	]);
}

/** Beside `dist` in a checkout; in the npm package beside `lib`, whose files may be in a folder of their own. */
function pageDirectory(): string {
	const candidates = ["../console", "../../console"];
	const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
	return paths.find((path) => existsSync(join(path, "index.html"))) ?? paths[0]!;
}
