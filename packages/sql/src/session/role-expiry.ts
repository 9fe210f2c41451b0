/** VALID UNTIL: when a password stops to be one. The only thing here that goes by the wall clock, as it says. */

/** 2000-01-01 in milliseconds since 1970. */
const postgresEpochMs = 946_684_800_000;

/** `validUntil` as a role has it; the infinities are the greatest and the least number. */
export function isPast(validUntil: string, wallMs: number): boolean {
	return BigInt(validUntil) < BigInt(Math.round((wallMs - postgresEpochMs) * 1000));
}
