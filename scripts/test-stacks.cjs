/**
 * For the threads that tests run in: ava would have Node read the source map of every module, a quarter of the time that loading
 * takes. Here a map is read when a stack that passes through its module is looked at.
 */
const { readFileSync } = require("node:fs");
const { SourceMap } = require("node:module");
const { fileURLToPath } = require("node:url");

process.setSourceMapsEnabled(false);
/** By the URL of a module; undefined: it has none. */
const maps = new Map();

Error.prepareStackTrace = (error, frames) =>
	[String(error), ...frames.map((frame) => `    at ${inSource(frame)}`)].join("\n");

function inSource(frame) {
	const url = frame.getFileName();
	const text = String(frame);
	if (url === null || !url.startsWith("file:")) return text;
	const entry = mapOf(url)?.findEntry(frame.getLineNumber() - 1, frame.getColumnNumber() - 1);
	if (entry?.originalSource === undefined) return text;
	const at = `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
	return text.replace(`${url}:${frame.getLineNumber()}:${frame.getColumnNumber()}`, at);
}

function mapOf(url) {
	if (!maps.has(url)) maps.set(url, readMap(url));
	return maps.get(url);
}

function readMap(url) {
	try {
		const payload = JSON.parse(readFileSync(fileURLToPath(`${url}.map`), "utf8"));
		const sources = payload.sources.map((source) => new URL(source, url).href);
		return new SourceMap({ ...payload, sources });
	} catch {
		return undefined;
	}
}
