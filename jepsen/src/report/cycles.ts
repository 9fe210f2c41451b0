/** A cycle of transactions, drawn: each in a box on a circle, with what it did, and along each arrow why one precedes the other. */
import type { Step } from "@quorate/checker/isolation";
import type { Finding } from "../workloads/workload.ts";
import { escaped } from "./plots.ts";

const width = 1_080;
const box = { width: 300, height: 64, line: 40 };
const edgeColours: Readonly<Record<string, string>> = {
	ww: "#2f5d9b",
	wr: "#2f7d4f",
	rw: "#c2303f",
	prw: "#c2303f",
	process: "#7a5aa6",
	rt: "#6b6b6b",
};

interface Place {
	readonly x: number;
	readonly y: number;
}

export function cycleDrawing({ steps = [], transactions = [] }: Finding): string {
	if (steps.length === 0) return "";
	const ids = steps.map((step) => step.from);
	const radius = 110 + 26 * ids.length;
	const height = 2 * radius + 2 * box.height;
	const places = new Map(
		ids.map((id, i): readonly [number, Place] => {
			const angle = -Math.PI / 2 + (2 * Math.PI * i) / ids.length;
			const spread = Math.min(1.9, (width - box.width) / 2 / radius);
			const x = width / 2 + radius * spread * Math.cos(angle);
			return [id, { x, y: height / 2 + radius * Math.sin(angle) }];
		}),
	);
	const texts = new Map(transactions);
	const arrows = steps.map((step, i) => arrow(step, i, places));
	const boxes = ids.map((id) => transactionBox(id, texts.get(id) ?? "", places.get(id)!));
	const head =
		'<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z" fill="context-stroke"/></marker></defs>';
	return `<svg viewBox="0 0 ${width} ${height}" role="img">${head}${arrows.join("")}${boxes.join("")}</svg>`;
}

/** Between the edges of two boxes, bent outwards, so that there and back are two lines. */
function arrow(
	{ from, to, kind, text }: Step,
	i: number,
	places: ReadonlyMap<number, Place>,
): string {
	const [a, b] = [places.get(from)!, places.get(to)!];
	const [dx, dy] = [b.x - a.x, b.y - a.y];
	const length = Math.hypot(dx, dy) || 1;
	const bend = 46;
	const middle = {
		x: (a.x + b.x) / 2 - (dy / length) * bend,
		y: (a.y + b.y) / 2 + (dx / length) * bend,
	};
	const [start, end] = [edgeOf(a, middle), edgeOf(b, middle)];
	const colour = edgeColours[kind] ?? "#333";
	const path = `M ${start.x} ${start.y} Q ${middle.x} ${middle.y} ${end.x} ${end.y}`;
	const label = {
		x: (start.x + 2 * middle.x + end.x) / 4,
		y: (start.y + 2 * middle.y + end.y) / 4,
	};
	return [
		`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2" marker-end="url(#head)"/>`,
		`<text x="${label.x}" y="${label.y}" dy="4" text-anchor="middle" class="edge" style="fill:${colour}">${i + 1}. ${kind}<title>${escaped(text)}</title></text>`,
	].join("");
}

/** Where the line from the middle of a box towards a point leaves it. */
function edgeOf(centre: Place, towards: Place): Place {
	const [dx, dy] = [towards.x - centre.x, towards.y - centre.y];
	const scale = Math.min(
		box.width / 2 / Math.max(Math.abs(dx), 1e-6),
		box.height / 2 / Math.max(Math.abs(dy), 1e-6),
	);
	return {
		x: Math.round(centre.x + dx * Math.min(1, scale)),
		y: Math.round(centre.y + dy * Math.min(1, scale)),
	};
}

function transactionBox(id: number, text: string, { x, y }: Place): string {
	const [left, top] = [x - box.width / 2, y - box.height / 2];
	const lines = [text.slice(0, box.line), text.slice(box.line, 2 * box.line)];
	if (text.length > 2 * box.line) lines[1] = `${lines[1]!.slice(0, -1)}…`;
	return [
		`<rect x="${left}" y="${top}" width="${box.width}" height="${box.height}" rx="5" class="box"><title>${escaped(text)}</title></rect>`,
		`<text x="${x}" y="${top + 20}" text-anchor="middle" class="title">T${id}</text>`,
		...lines.map(
			(line, i) =>
				`<text x="${x}" y="${top + 38 + 16 * i}" text-anchor="middle" class="mono">${escaped(line)}</text>`,
		),
	].join("");
}
