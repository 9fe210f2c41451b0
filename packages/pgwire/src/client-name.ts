/**
 * What the host of a client is called, for rules that name hosts: the name of its address, if that name leads back to the address. Whoever
 * has an address says what it is called; only who has the name can say which addresses are its own. Looked up once, and only for a rule that
 * all else of the client fits.
 */
import { AddressRange, ipVersion } from "@quorate/runtime/address-range";
import type { HostNames, Logger } from "@quorate/runtime/runtime";

export class ClientName {
	readonly #address: string;
	readonly #hostNames: HostNames | undefined;
	readonly #logger: Logger;
	#name: Promise<string | undefined> | undefined;
	#isConfirmed: Promise<boolean> | undefined;

	constructor(address: string, hostNames: HostNames | undefined, logger: Logger) {
		this.#address = address;
		this.#hostNames = hostNames;
		this.#logger = logger;
	}

	/** `pattern`: a name, or what names end with, from a dot on. A lookup that fails is a no. */
	async matches(pattern: string): Promise<boolean> {
		this.#name ??= this.#lookUp();
		const name = await this.#name;
		if (name === undefined || !isOf(pattern, name)) return false;
		this.#isConfirmed ??= this.#confirm(name);
		return this.#isConfirmed;
	}

	async #lookUp(): Promise<string | undefined> {
		try {
			return await this.#hostNames?.nameOf(this.#address);
		} catch (error) {
			this.#note("the address of a client has no name", { reason: String(error) });
			return undefined;
		}
	}

	async #confirm(name: string): Promise<boolean> {
		const version = ipVersion(this.#address);
		if (version === undefined) return false;
		try {
			const addresses = (await this.#hostNames?.addressesOf(name, version)) ?? [];
			if (addresses.some((one) => AddressRange.single(one)?.includes(this.#address))) return true;
			this.#note("the name of a client does not lead back to its address", { name, addresses });
		} catch (error) {
			this.#note("the name of a client has no address", { name, reason: String(error) });
		}
		return false;
	}

	#note(message: string, fields: Readonly<Record<string, unknown>>): void {
		this.#logger.log("debug", message, { address: this.#address, ...fields });
	}
}

function isOf(pattern: string, name: string): boolean {
	const [wanted, given] = [folded(pattern), folded(name)];
	return wanted.startsWith(".") ? given.endsWith(wanted) : given === wanted;
}

/** Letters of ASCII only: to fold others would make names equal that DNS tells apart. */
const folded = (name: string): string => name.replace(/[A-Z]+/g, (some) => some.toLowerCase());
