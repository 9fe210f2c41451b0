/**
 * exp and ln to any precision, on bigints that are numbers times 2^bits. decimal.js was tried for this: it gives up above 1025
 * digits, which numeric's 1000 decimals exceed, and is slower.
 */
import { assert } from "@quorate/keys/assert";

/** sum of (1/n)^(2k+1) / (2k+1), times 2^bits. */
function inverseHyperbolicTangent(n: bigint, bits: number): bigint {
	const square = n * n;
	let power = (1n << BigInt(bits)) / n;
	let sum = 0n;
	for (let k = 1n; power !== 0n; k += 2n) {
		sum += power / k;
		power /= square;
	}
	return sum;
}

let knownBits = 0;
let knownLn2 = 0n;

/** ln 2, by a formula of Machin's kind; the longest one computed is kept. */
function ln2(bits: number): bigint {
	if (bits > knownBits) {
		const work = bits + 32;
		const sum =
			18n * inverseHyperbolicTangent(26n, work) -
			2n * inverseHyperbolicTangent(4801n, work) +
			8n * inverseHyperbolicTangent(8749n, work);
		knownLn2 = sum >> 32n;
		knownBits = bits;
	}
	return knownLn2 >> BigInt(knownBits - bits);
}

/** e^x. The error is some units of the last bit, relative to the larger of the result and 1. */
export function exponential(x: bigint, bits: number): bigint {
	const halvings = Math.ceil(Math.sqrt(bits / 2));
	// The integer part of x / ln 2 takes bits of its own.
	const whole = Number(x / ln2(bits));
	const work = bits + halvings * 2 + Math.max(whole, 0) + 32;
	const shifted = x << BigInt(work - bits);
	const twos = shifted / ln2(work);
	const rest = (shifted - twos * ln2(work)) >> BigInt(halvings);
	const one = 1n << BigInt(work);
	const scale = BigInt(work);
	let term = one;
	let sum = one;
	for (let k = 1n; term !== 0n && term !== -1n; k++) {
		term = ((term * rest) >> scale) / k;
		sum += term;
	}
	for (let i = 0; i < halvings; i++) {
		sum = (sum * sum) >> scale;
	}
	const shift = BigInt(work - bits) - twos;
	return shift >= 0n ? sum >> shift : sum << -shift;
}

/** ln of numerator / denominator, both positive: Halley's iteration on exp, which triples the correct digits. */
export function logarithm(numerator: bigint, denominator: bigint, bits: number): bigint {
	assert(numerator > 0n && denominator > 0n, "a logarithm of what is not positive");
	const work = bits + 32;
	const twos = bitLength(numerator) - bitLength(denominator);
	// mantissa in (1/2, 2), times 2^work
	const shift = work - twos;
	const mantissa =
		shift >= 0
			? (numerator << BigInt(shift)) / denominator
			: numerator / (denominator << BigInt(-shift));
	const guess = Math.log(Number(mantissa >> BigInt(work - 60)) / 2 ** 60);
	let y = BigInt(Math.round(guess * 2 ** 52)) << BigInt(work - 52);
	for (let correct = 45; correct < work; correct *= 3) {
		const e = exponential(y, work);
		y += (((mantissa - e) << BigInt(work + 1)) / (mantissa + e)) as bigint;
	}
	return (y + BigInt(twos) * ln2(work)) >> 32n;
}

/** Of |n|; in time linear in the length. */
export function bitLength(n: bigint): number {
	const hex = (n < 0n ? -n : n).toString(16);
	return hex.length * 4 - (Math.clz32(Number.parseInt(hex[0] as string, 16)) - 28);
}
