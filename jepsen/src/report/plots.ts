/** Plots as inline SVG: nothing is fetched, and a page that was kept is readable for ever. */
import type { Bucket, Window } from "@quorate/checker/availability";

export interface Point {
	/** Seconds. */
	readonly at: number;
	/** Seconds; how long an answer took. */
	readonly latency: number;
	readonly status: "ok" | "fail" | "info";
}

export interface Band extends Window {
	readonly kind: string;
}

const width = 1_080;
const height = 300;
const margin = { left: 62, right: 16, top: 26, bottom: 34 };
const inner = {
	width: width - margin.left - margin.right,
	height: height - margin.top - margin.bottom,
};
export const statusColours = { ok: "#2f7d4f", fail: "#d08a00", info: "#c2303f" } as const;
/** Points that are drawn of each kind; more would hide each other. */
const pointsMax = 6_000;
const bandColours = ["#dbe4f0", "#f0e3d6", "#e3ecd9", "#ecdcea", "#f2ecc9", "#d8ebe9", "#efd9d6"];

interface Axis {
	place(value: number): number;
	readonly ticks: readonly (readonly [number, string])[];
}

export const escaped = (text: string): string =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const round = (value: number): string => value.toFixed(1);

export function colourOf(kind: string, bands: readonly Band[]): string {
	const kinds = [...new Set(bands.map((band) => band.kind))];
	return bandColours[kinds.indexOf(kind) % bandColours.length]!;
}

function timeAxis(end: number): Axis {
	const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((s) => end / s <= 14) ?? 1_200;
	const ticks: [number, string][] = [];
	for (let at = 0; at <= end; at += step) ticks.push([at, `${at} s`]);
	return { place: (at) => margin.left + (at / Math.max(end, 1e-9)) * inner.width, ticks };
}

/** Decades of seconds, from 1 ms to whatever was seen. */
function latencyAxis(most: number): Axis {
	const from = -3;
	const to = Math.max(0, Math.ceil(Math.log10(Math.max(most, 1e-3))));
	const names = new Map([
		[-3, "1 ms"],
		[-2, "10 ms"],
		[-1, "100 ms"],
		[0, "1 s"],
		[1, "10 s"],
		[2, "100 s"],
	]);
	const ticks: [number, string][] = [];
	for (let e = from; e <= to; e++) ticks.push([10 ** e, names.get(e) ?? `1e${e} s`]);
	return {
		place: (value) => {
			const part = (Math.log10(Math.max(value, 1e-3)) - from) / (to - from);
			return margin.top + inner.height * (1 - part);
		},
		ticks,
	};
}

function countAxis(most: number): Axis {
	const raw = Math.max(most, 1) / 5;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = Math.max(1, [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw)!);
	const top = Math.ceil(Math.max(most, 1) / step) * step;
	const ticks: [number, string][] = [];
	for (let value = 0; value <= top; value += step) ticks.push([value, String(value)]);
	return { place: (value) => margin.top + inner.height * (1 - value / top), ticks };
}

function frame(title: string, x: Axis, y: Axis, bands: readonly Band[], body: string): string {
	const [right, bottom] = [width - margin.right, height - margin.bottom];
	const shaded = bands.map(({ from, to, kind }) => {
		const size = Math.max(1, x.place(to) - x.place(from));
		const place = `x="${round(x.place(from))}" width="${round(size)}"`;
		const fill = colourOf(kind, bands);
		return `<rect ${place} y="${margin.top}" height="${inner.height}" fill="${fill}"><title>${escaped(kind)}, ${round(from)} to ${round(to)} s</title></rect>`;
	});
	const horizontal = y.ticks.map(([value, name]) => {
		const at = round(y.place(value));
		return `<line x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}" class="grid"/><text x="${margin.left - 8}" y="${at}" dy="4" text-anchor="end">${name}</text>`;
	});
	const vertical = x.ticks.map(
		([value, name]) =>
			`<text x="${round(x.place(value))}" y="${bottom + 18}" text-anchor="middle">${name}</text>`,
	);
	return [
		`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
		`<text x="${margin.left}" y="16" class="title">${escaped(title)}</text>`,
		...shaded,
		...horizontal,
		...vertical,
		body,
		`<line x1="${margin.left}" x2="${right}" y1="${bottom}" y2="${bottom}" class="axis"/>`,
		"</svg>",
	].join("");
}

export function latencyPlot(points: readonly Point[], bands: readonly Band[], end: number): string {
	const x = timeAxis(end);
	const y = latencyAxis(points.reduce((most, { latency }) => Math.max(most, latency), 0));
	const body = (["ok", "fail", "info"] as const).flatMap((status) => {
		const of = points.filter((p) => p.status === status);
		const every = Math.ceil(of.length / pointsMax);
		return of
			.filter((_, i) => i % every === 0)
			.map(
				({ at, latency }) =>
					`<circle cx="${round(x.place(at))}" cy="${round(y.place(latency))}" r="1.7" fill="${statusColours[status]}" fill-opacity="0.55"/>`,
			);
	});
	return frame("Latency of each operation, by when it ended", x, y, bands, body.join(""));
}

export function throughputPlot(
	buckets: readonly Bucket[],
	bands: readonly Band[],
	end: number,
): string {
	const x = timeAxis(end);
	const most = Math.max(1, ...buckets.flatMap(({ ok, fail, info }) => [ok, fail, info]));
	const y = countAxis(most);
	const body = (["ok", "fail", "info"] as const).map((status) => {
		const line = buckets.map((bucket) => {
			const at = Math.min(end, bucket.from + 0.5);
			return `${round(x.place(at))},${round(y.place(bucket[status]))}`;
		});
		return `<polyline points="${line.join(" ")}" fill="none" stroke="${statusColours[status]}" stroke-width="1.8"/>`;
	});
	return frame("Operations in each second", x, y, bands, body.join(""));
}
