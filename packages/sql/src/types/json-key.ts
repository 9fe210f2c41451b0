/**
 * jsonb as a key: a byte for what it is, in the order of `compareJsonb`; containers have the number of their elements behind it, and then
 * the elements. Numbers lose their scale.
 */
import { assert } from "@quorate/keys/assert";
import {
	isJsonArray,
	isJsonNumber,
	type Json,
	type JsonbValue,
	jsonb,
	jsonObject,
} from "./json-value.ts";
import { decodeBytes, encodeText, type KeyCodec, numericKey } from "./key-codecs.ts";
import type { Numeric } from "./numeric.ts";

const emptyAtTop = "\x01";
const nullMark = "\x02";
const stringMark = "\x03";
const numberMark = "\x04";
const falseMark = "\x05";
const trueMark = "\x06";
const arrayMark = "\x07";
const objectMark = "\x08";

const count = (n: number): string =>
	String.fromCharCode(n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff);

function encodeJson(value: Json): string {
	if (value === null) return nullMark;
	if (typeof value === "string") return stringMark + encodeText(value);
	if (typeof value === "boolean") return value ? trueMark : falseMark;
	if (isJsonArray(value)) return arrayMark + count(value.length) + value.map(encodeJson).join("");
	if (isJsonNumber(value)) return numberMark + numericKey.encode(value);
	let out = objectMark + count(value.size);
	for (const [key, item] of value) out += encodeText(key) + encodeJson(item);
	return out;
}

class KeyReader {
	readonly #bytes: string;
	at: number;

	constructor(bytes: string, at: number) {
		this.#bytes = bytes;
		this.at = at;
	}

	#count(): number {
		let n = 0;
		for (let i = 0; i < 4; i++) n = n * 256 + this.#bytes.charCodeAt(this.at++);
		return n;
	}

	#text(): string {
		const { raw, next } = decodeBytes(this.#bytes, this.at);
		this.at = next;
		return Buffer.from(raw, "latin1").toString("utf8");
	}

	read(): Json {
		const mark = this.#bytes[this.at++];
		switch (mark) {
			case nullMark:
				return null;
			case stringMark:
				return this.#text();
			case falseMark:
			case trueMark:
				return mark === trueMark;
			case numberMark: {
				const { value, next } = numericKey.decode(this.#bytes, this.at);
				this.at = next;
				return value as Numeric;
			}
			case emptyAtTop:
				return [];
			case arrayMark:
				return Array.from({ length: this.#count() }, () => this.read());
			default: {
				assert(mark === objectMark, () => `no jsonb key begins with ${mark}`);
				const pairs = Array.from(
					{ length: this.#count() },
					() => [this.#text(), this.read()] as const,
				);
				return jsonObject(pairs);
			}
		}
	}
}

export const jsonbKey: KeyCodec = {
	encode(value) {
		const { root } = value as JsonbValue;
		return isJsonArray(root) && root.length === 0 ? emptyAtTop : encodeJson(root);
	},
	decode(bytes, offset) {
		const reader = new KeyReader(bytes, offset);
		const value = jsonb(reader.read());
		return { value, next: reader.at };
	},
	lossy: true,
};
