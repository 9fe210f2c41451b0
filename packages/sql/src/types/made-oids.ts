/**
 * Numbers of the types that are in the catalog only. That a number is such a type's, and what kind of type that is, shows in it: no
 * other object id gets so far. The array of each has its number and `arrayStep` more, that of a domain, whose number is a plain
 * object id, too.
 */
import { assert } from "@quorate/keys/assert";

const arrayStep = 0x2000_0000;
const enumBase = 0x4000_0000;
/** CREATE TYPE ... AS (...). */
const compositeBase = 0x8000_0000;
/** What rows of a table or a view are of. */
const rowBase = 0xc000_0000;

function above(base: number, id: number): number {
	assert(id > 0 && id < arrayStep, () => `object id ${id} is out of the range of types`);
	return base + id;
}

const isAbove = (base: number, oid: number): boolean => oid > base && oid < base + arrayStep;

export const enumOid = (id: number): number => above(enumBase, id);
export const compositeOid = (id: number): number => above(compositeBase, id);
export const rowTypeOid = (id: number): number => above(rowBase, id);

export const isEnum = (oid: number): boolean => isAbove(enumBase, oid);
export const isComposite = (oid: number): boolean => isAbove(compositeBase, oid);
/** Of a relation's rows. */
export const isRowType = (oid: number): boolean => isAbove(rowBase, oid);
export const isRow = (oid: number): boolean => isComposite(oid) || isRowType(oid);
/** Whether the catalog alone knows what it is, arrays of such types apart. */
export const isMade = (oid: number): boolean => isEnum(oid) || isRow(oid);

export const arrayOfMade = (oid: number): number => oid + arrayStep;
export const elementOfMade = (oid: number): number => oid - arrayStep;
/** An array of a type that is in the catalog only, domains included. */
export const isMadeArray = (oid: number): boolean =>
	oid > arrayStep && Math.floor(oid / arrayStep) % 2 === 1;
export const isDomainArray = (oid: number): boolean => isAbove(arrayStep, oid);

/** The type that has a name of its own: of an array that of its elements. */
export const namedOid = (oid: number): number => (isMadeArray(oid) ? elementOfMade(oid) : oid);

/** The object id behind the number: of a row type that of its relation, of a composite type that of its row in pg_class. */
export const objectIdOf = (oid: number): number => oid % arrayStep;
