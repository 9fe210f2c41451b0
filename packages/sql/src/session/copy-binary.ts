/**
 * COPY's binary format (PostgreSQL manual, COPY, "Binary Format"): a signature, flags and the length of an extension; then tuples, each a count of
 * fields and the fields with their lengths (-1: NULL) as their types send them; a count of -1 is the end.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import { type TypeContext, type TypeDefinition, typeByOid } from "../types/registry.ts";
import type { ResultColumn } from "./types.ts";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
/** Signature, no flags, no extension. */
const header = Buffer.concat([signature, Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);

/** A field that claims to be larger is refused before anything of it is kept. */
const fieldBytesMax = 256 * 1024 * 1024;

/** Types that PostgreSQL cannot send. */
const unsent: ReadonlySet<number> = new Set([OID.aclitem, OID.aclitemArray]);

function requireSent(oid: number, way: "input" | "output"): void {
	if (!unsent.has(oid)) return;
	throw new DatabaseError("42883", `no binary ${way} function available for type aclitem`);
}

/** Messages of CopyData: PostgreSQL sends its header with the first tuple. */
export class BinaryTuples {
	readonly #types: readonly TypeDefinition[];
	readonly #context: TypeContext;
	#isFirst = true;

	constructor(columns: readonly ResultColumn[], context: TypeContext) {
		this.#types = columns.map((column) => typeByOid(column.type.oid)!);
		this.#context = context;
	}

	tuple(row: readonly Datum[]): Uint8Array {
		const parts: Uint8Array[] = this.#isFirst ? [header] : [];
		this.#isFirst = false;
		parts.push(int16(row.length));
		for (const [i, value] of row.entries()) {
			if (value === null) {
				parts.push(int32(-1));
				continue;
			}
			const type = this.#types[i]!;
			requireSent(type.oid, "output");
			const bytes = type.encodeBinary(value, this.#context);
			parts.push(int32(bytes.length), bytes);
		}
		return Buffer.concat(parts);
	}

	end(): Uint8Array {
		return this.#isFirst ? Buffer.concat([header, trailer]) : trailer;
	}
}

function int16(value: number): Uint8Array {
	const out = Buffer.allocUnsafe(2);
	out.writeInt16BE(value);
	return out;
}

function int32(value: number): Uint8Array {
	const out = Buffer.allocUnsafe(4);
	out.writeInt32BE(value);
	return out;
}

/** What a field's bytes mean; `bytes` are the reader's, and other ones with the next call. */
export type FieldDecoder = (column: number, bytes: Uint8Array) => Datum;

const malformed = (message: string): DatabaseError => new DatabaseError("22P04", message);

const afterEnd = (): DatabaseError => malformed("received copy data after EOF marker");

/** What is read next, of which `#need` bytes must be there. */
type Part = "header" | "extension" | "count" | "size" | "field" | "ended";

/** Splits bytes into tuples as they arrive, whatever their pieces. */
export class BinaryReader {
	readonly #columns: number;
	readonly #decode: FieldDecoder;
	#part: Part = "header";
	#need = header.length;
	#chunks: Uint8Array[] = [];
	#have = 0;
	#row: Datum[] = [];
	/** Of the tuple that is being read, from 1; 0 in the header. */
	line = 0;

	constructor(columns: number, decode: FieldDecoder) {
		this.#columns = columns;
		this.#decode = decode;
	}

	/** Tuples that are complete. What is left is copied: the chunk is the caller's. */
	*push(chunk: Uint8Array): Iterable<readonly Datum[]> {
		if (chunk.length === 0) return;
		if (this.#isEnded()) throw afterEnd();
		if (this.#have + chunk.length < this.#need) {
			this.#keep(Buffer.from(chunk));
			return;
		}
		const all = this.#have === 0 ? Buffer.from(chunk) : Buffer.concat([...this.#chunks, chunk]);
		this.#chunks = [];
		this.#have = 0;
		let at = 0;
		while (all.length - at >= this.#need) {
			if (this.#isEnded()) {
				if (at < all.length) throw afterEnd();
				return;
			}
			const bytes = all.subarray(at, at + this.#need);
			at += this.#need;
			this.#read(bytes);
			if (this.#part === "count" && this.#row.length === this.#columns && this.line > 0) {
				yield this.#row;
				this.#row = [];
			}
		}
		if (at < all.length) this.#keep(all.subarray(at));
	}

	#isEnded(): boolean {
		return this.#part === "ended";
	}

	#keep(bytes: Uint8Array): void {
		this.#chunks.push(bytes);
		this.#have += bytes.length;
	}

	/** At the end of the input. The end marker may be missing, as PostgreSQL has it. */
	finish(): void {
		switch (this.#part) {
			case "header":
				throw this.#cutHeader();
			case "extension":
				throw malformed("invalid COPY file header (wrong length)");
			case "size":
			case "field":
				throw malformed("unexpected EOF in COPY data");
			default:
		}
	}

	#cutHeader(): DatabaseError {
		const bytes = Buffer.concat(this.#chunks);
		if (bytes.length < signature.length || !isSigned(bytes)) return unsigned();
		if (bytes.length < 15) return malformed("invalid COPY file header (missing flags)");
		checkFlags(bytes);
		return malformed("invalid COPY file header (missing length)");
	}

	#read(bytes: Buffer): void {
		if (this.#part === "header") this.#readHeader(bytes);
		else if (this.#part === "extension") this.#expect("count", 2);
		else if (this.#part === "count") this.#readCount(bytes.readInt16BE(0));
		else if (this.#part === "size") this.#readSize(bytes.readInt32BE(0));
		else this.#take(this.#decode(this.#row.length, bytes));
	}

	#expect(part: Part, bytes: number): void {
		this.#part = part;
		this.#need = bytes;
	}

	#readHeader(bytes: Buffer): void {
		if (!isSigned(bytes)) throw unsigned();
		checkFlags(bytes);
		const extension = bytes.readInt32BE(15);
		if (extension < 0) throw malformed("invalid COPY file header (missing length)");
		if (extension > fieldBytesMax) throw tooLarge(extension);
		this.#expect("extension", extension);
	}

	#readCount(count: number): void {
		this.line++;
		if (count === -1) {
			this.#expect("ended", 0);
		} else if (count !== this.#columns) {
			throw malformed(`row field count is ${count}, expected ${this.#columns}`);
		} else {
			this.#expectField();
		}
	}

	/** Behind the last one the next tuple. */
	#expectField(): void {
		if (this.#row.length === this.#columns) this.#expect("count", 2);
		else this.#expect("size", 4);
	}

	/** The column that is being read, for what says where an error is; undefined between tuples. */
	get column(): number | undefined {
		return this.#part === "size" || this.#part === "field" ? this.#row.length : undefined;
	}

	#readSize(size: number): void {
		if (size < -1) throw malformed("invalid field size");
		if (size > fieldBytesMax) throw tooLarge(size);
		if (size === -1) this.#take(null);
		else this.#expect("field", size);
	}

	#take(value: Datum): void {
		this.#row.push(value);
		this.#expectField();
	}
}

const isSigned = (bytes: Buffer): boolean => bytes.subarray(0, signature.length).equals(signature);

const unsigned = (): DatabaseError => malformed("COPY file signature not recognized");

function checkFlags(bytes: Buffer): void {
	const critical = bytes.readUInt16BE(11);
	if ((critical & 1) !== 0) throw malformed("invalid COPY file header (WITH OIDS)");
	if (critical !== 0) throw malformed("unrecognized critical flags in COPY file header");
}

const tooLarge = (bytes: number): DatabaseError =>
	new DatabaseError("54000", "out of memory", {
		detail: `Cannot enlarge string buffer containing 0 bytes by ${bytes} more bytes.`,
	});

/** A field as its type receives it. */
export function receive(type: TypeDefinition, bytes: Uint8Array, context: TypeContext): Datum {
	requireSent(type.oid, "input");
	return type.decodeBinary(bytes, -1, context);
}
