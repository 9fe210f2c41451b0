/**
 * LIKE and ILIKE. A pattern is cut at its % into segments, each found once from left to right, so that no pattern costs more
 * than the product of both lengths. Segments with an _ are compared character by character, which is counted, and bounded: the event
 * loop of the node stands still meanwhile.
 */
import { DatabaseError } from "@quorate/keys/database-error";

/** One character of a pattern: itself, or any. */
type Item = string | typeof any | typeof unfinished;
const any = Symbol("_");
/** An escape character at the end: an error, but only for texts that get that far. */
const unfinished = Symbol("\\");

interface Segment {
	readonly items: readonly Item[];
	/** Without an _ the segment is a plain string. */
	readonly text: string | undefined;
}

export interface LikePattern {
	/** At least one; the first is anchored at the start, the last at the end. */
	readonly segments: readonly Segment[];
	/** The pattern without wildcards before the first one: what an index can use. */
	readonly prefix: string;
}

function segmentOf(items: readonly Item[]): Segment {
	const plain = items.every((item) => typeof item === "string");
	return { items, text: plain ? items.join("") : undefined };
}

/** `escapeCharacter`: one character, or "" for none. Throws 22025. */
export function compileLike(pattern: string, escapeCharacter: string): LikePattern {
	const segments: Segment[] = [];
	let items: Item[] = [];
	const characters = [...pattern];
	for (let i = 0; i < characters.length; i++) {
		const character = characters[i] as string;
		if (character === escapeCharacter && escapeCharacter !== "") {
			const next = characters[++i];
			items.push(next ?? unfinished);
		} else if (character === "%") {
			segments.push(segmentOf(items));
			items = [];
		} else {
			items.push(character === "_" ? any : character);
		}
	}
	segments.push(segmentOf(items));
	const first = segments[0]?.items ?? [];
	const wild = first.findIndex((item) => typeof item !== "string");
	return { segments, prefix: first.slice(0, wild < 0 ? first.length : wild).join("") };
}

/** In one text: some 10 ms. */
const comparisonsMax = 1 << 20;
let comparisons = 0;

/** End of the segment if it stands at `at`, else -1. Throws 54000. */
function matchAt(text: string, at: number, segment: Segment): number {
	if (segment.text !== undefined) {
		return text.startsWith(segment.text, at) ? at + segment.text.length : -1;
	}
	let position = at;
	for (const item of segment.items) {
		if (++comparisons > comparisonsMax) {
			throw new DatabaseError("54000", "LIKE pattern takes too long for this text", {
				hint: "Use a pattern with fewer _, or a shorter text.",
			});
		}
		if (position >= text.length) {
			return -1;
		}
		if (item === unfinished) {
			throw unfinishedPattern();
		}
		if (item === any) {
			position += (text.charCodeAt(position) & 0xfc00) === 0xd800 ? 2 : 1;
		} else if (text.startsWith(item as string, position)) {
			position += (item as string).length;
		} else {
			return -1;
		}
	}
	return position;
}

/** End of the first occurrence from `from` on, else -1. */
function find(text: string, from: number, segment: Segment): number {
	if (segment.text !== undefined) {
		const at = text.indexOf(segment.text, from);
		return at < 0 ? -1 : at + segment.text.length;
	}
	for (let at = from; at <= text.length; at++) {
		const end = matchAt(text, at, segment);
		if (end >= 0) {
			return end;
		}
	}
	return -1;
}

/** True if the segment stands at the very end, not before `from`. */
function endsWith(text: string, from: number, segment: Segment): boolean {
	if (segment.text !== undefined) {
		return text.length - segment.text.length >= from && text.endsWith(segment.text);
	}
	// Back over as many characters as the segment has.
	let at = text.length;
	for (let i = 0; i < segment.items.length; i++) {
		at -= (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
	}
	return at >= from && matchAt(text, at, segment) === text.length;
}

export function matchesLike(text: string, pattern: LikePattern): boolean {
	const { segments } = pattern;
	comparisons = 0;
	let at = matchAt(text, 0, segments[0] as Segment);
	if (segments.length === 1) {
		return at === text.length;
	}
	for (let i = 1; at >= 0 && i < segments.length - 1; i++) {
		at = find(text, at, segments[i] as Segment);
	}
	const last = segments.at(-1) as Segment;
	if (last.items.at(-1) === unfinished) {
		return at >= 0 && endsUnfinished(text, at, last);
	}
	return at >= 0 && endsWith(text, at, last);
}

/** False, or the error: behind a % and nothing but _ the escape character is met even where the text ends. */
function endsUnfinished(text: string, from: number, segment: Segment): boolean {
	const before = segment.items.slice(0, -1);
	if (before.every((item) => item === any) && [...text.slice(from)].length >= before.length) {
		throw unfinishedPattern();
	}
	return find(text, from, segment) >= 0;
}

const unfinishedPattern = (): DatabaseError =>
	new DatabaseError("22025", "LIKE pattern must not end with escape character");

const cacheMax = 500;
/** Longer patterns are not kept. */
const cachedLengthMax = 1_000;
const cache = new Map<string, LikePattern>();

function cached(pattern: string): LikePattern {
	let compiled = cache.get(pattern);
	if (compiled === undefined) {
		compiled = compileLike(pattern, "\\");
		if (pattern.length > cachedLengthMax) {
			return compiled;
		}
		if (cache.size >= cacheMax) {
			cache.clear();
		}
		cache.set(pattern, compiled);
	}
	return compiled;
}

export const like = (text: string, pattern: string): boolean => matchesLike(text, cached(pattern));

export const ilike = (text: string, pattern: string): boolean =>
	matchesLike(text.toLowerCase(), cached(pattern.toLowerCase()));

/** ESCAPE: the pattern with that escape character rewritten to backslashes, as like_escape. */
export function likeEscape(pattern: string, escapeCharacter: string): string {
	if ([...escapeCharacter].length > 1) {
		throw new DatabaseError("22025", "invalid escape string", {
			hint: "Escape string must be empty or one character.",
		});
	}
	if (escapeCharacter === "\\") {
		return pattern;
	}
	let out = "";
	let literal = false;
	for (const character of pattern) {
		if (character === escapeCharacter && !literal) {
			out += "\\";
			literal = true;
		} else {
			out += character === "\\" && !literal ? "\\\\" : character;
			literal = false;
		}
	}
	return out;
}
