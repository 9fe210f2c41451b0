/** Ranges of IP addresses, as rules about clients name them. */
import { BlockList, isIP } from "node:net";

/** Undefined: it is no IP address. */
export function ipVersion(text: string): 4 | 6 | undefined {
	const version = isIP(text);
	return version === 4 || version === 6 ? version : undefined;
}

const families = { 4: "ipv4", 6: "ipv6" } as const;
const widths = { 4: 32, 6: 128 } as const;

export class AddressRange {
	readonly #list = new BlockList();
	/** ::/0 is of IPv6 addresses only. */
	readonly #version: 4 | 6;

	private constructor(address: string, prefix: number, version: 4 | 6) {
		this.#version = version;
		this.#list.addSubnet(address, prefix, families[version]);
	}

	/** `10.0.0.0/8`, or an address and a mask, `255.0.0.0`. Undefined: it is neither. */
	static parse(text: string, mask?: string): AddressRange | undefined {
		const [address = "", bits] = text.split("/");
		const version = ipVersion(address);
		if (version === undefined) return undefined;
		const prefix = mask === undefined ? numberOf(bits) : prefixOf(mask, version);
		if (prefix === undefined || prefix > widths[version]) return undefined;
		return new AddressRange(address, prefix, version);
	}

	/** That address only. Undefined: it is none. */
	static single(address: string): AddressRange | undefined {
		const version = ipVersion(address);
		return version === undefined ? undefined : new AddressRange(address, widths[version], version);
	}

	includes(address: string): boolean {
		const version = ipVersion(address);
		return version === this.#version && this.#list.check(address, families[version]);
	}
}

const numberOf = (text: string | undefined): number | undefined =>
	text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;

/** 255.255.0.0 is 16. */
function prefixOf(mask: string, version: 4 | 6): number | undefined {
	if (ipVersion(mask) !== version) return undefined;
	const bits = version === 4 ? bitsOf(mask.split("."), 10, 8) : bitsOf(groupsOf(mask), 16, 16);
	return /^1*0*$/.test(bits) ? bits.replaceAll("0", "").length : undefined;
}

const bitsOf = (parts: readonly string[], radix: number, width: number): string =>
	parts.map((part) => Number.parseInt(part, radix).toString(2).padStart(width, "0")).join("");

/** All eight, with those that :: stands for. */
function groupsOf(address: string): readonly string[] {
	const [head = "", tail = ""] = address.split("::");
	const before = head.split(":").filter(Boolean);
	const after = tail.split(":").filter(Boolean);
	return [...before, ...new Array<string>(8 - before.length - after.length).fill("0"), ...after];
}
