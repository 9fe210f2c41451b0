/** A cursor over the body of one message. Reading past its end ends the connection, as does what is left over. */
import { ProtocolViolation } from "./protocol-violation.ts";
import { decodeText } from "./utf8.ts";

export class MessageBody {
	#buffer: Buffer = Buffer.alloc(0);
	#at = 0;
	#end = 0;

	reset(buffer: Buffer, start: number, end: number): void {
		this.#buffer = buffer;
		this.#at = start;
		this.#end = end;
	}

	/** The memory of the last value that `skip` stepped over lies here. */
	get buffer(): Buffer {
		return this.#buffer;
	}

	get remaining(): number {
		return this.#end - this.#at;
	}

	uint8(): number {
		this.#need(1);
		return this.#buffer[this.#at++]!;
	}

	uint16(): number {
		this.#need(2);
		const value = this.#buffer.readUInt16BE(this.#at);
		this.#at += 2;
		return value;
	}

	int32(): number {
		this.#need(4);
		const value = this.#buffer.readInt32BE(this.#at);
		this.#at += 4;
		return value;
	}

	uint32(): number {
		return this.int32() >>> 0;
	}

	/** A NUL-terminated string. Throws 22021 where it is no UTF-8. */
	string(): string {
		if (this.#at < this.#end && this.#buffer[this.#at] === 0) {
			this.#at++;
			return "";
		}
		const stop = this.#buffer.indexOf(0, this.#at);
		if (stop < 0 || stop >= this.#end) {
			throw new ProtocolViolation("invalid string in message");
		}
		const start = this.#at;
		this.#at = stop + 1;
		return decodeText(this.#buffer, start, stop);
	}

	/** Steps over `length` bytes and says where in `buffer` they begin. */
	skip(length: number): number {
		this.#need(length);
		const start = this.#at;
		this.#at += length;
		return start;
	}

	bytes(length: number): Buffer {
		const start = this.skip(length);
		return this.#buffer.subarray(start, start + length);
	}

	/** Says that nothing may follow. */
	finish(): void {
		if (this.#at !== this.#end) {
			throw new ProtocolViolation("invalid message format");
		}
	}

	#need(count: number): void {
		if (count < 0 || this.#end - this.#at < count) {
			throw new ProtocolViolation("insufficient data left in message");
		}
	}
}
