/**
 * Small buffers are cut from slabs. A slab of this size is mapped alone (`cmd/quorate/src/node-program.ts` sets from which size on),
 * so it goes back to the system as soon as nothing refers to it. By default slabs have 8 KiB and lie in the allocator's heap: a load
 * makes 30 MiB of them between two collections, and what else is allocated meanwhile keeps the room that they leave.
 */
export const slabBytes = 32 << 10;
