/** ALTER SEQUENCE, but for names and owners (`rename.ts`, `owners.ts`). */
import { DatabaseError } from "@quorate/keys/database-error";
import { ownerOf as roleOf } from "../auth/privileges.ts";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import { sequenceKey } from "../catalog/keys.ts";
import type { Option, Statement } from "../parser/ast.ts";
import { decodeSequenceValue } from "../session/sequence-blocks.ts";
import { findObject, tellMissing } from "./drop.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { numbersOf, optionsOf } from "./sequence-numbers.ts";
import { ownerOf, requireSameSchema } from "./sequences.ts";

type AlterSequence = Extract<Statement, { kind: "alter-sequence" }>;

const isNumber = ({ name }: Option): boolean => name !== "owned_by" && name !== "restart";

export async function alterSequence(
	editor: SchemaEditor,
	{ name, ifExists, options }: AlterSequence,
): Promise<string> {
	const found = findObject(editor, name);
	if (found === undefined) {
		tellMissing(editor, name, ifExists);
		return "ALTER SEQUENCE";
	}
	if (found.kind !== "sequence") {
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a sequence`);
	}
	const { sequence } = found;
	editor.requireOwner(sequence);
	await editor.put(await alteredSequence(editor, sequence, options));
	return "ALTER SEQUENCE";
}

export async function alteredSequence(
	editor: SchemaEditor,
	sequence: SequenceDescriptor,
	options: readonly Option[],
): Promise<SequenceDescriptor> {
	const given = new Set(options.map((one) => one.name));
	let changed: SequenceDescriptor = {
		...sequence,
		...numbersOf([...options.filter(isNumber), ...optionsOf(sequence, given)]),
	};
	if (given.has("owned_by")) changed = owned(editor, changed, options);
	const restart = options.find((one) => one.name === "restart");
	if (restart === undefined) await requireWithin(editor, changed);
	else changed = await restarted(editor, changed, restart);
	return changed;
}

/** Throws 0A000, 55000. */
function owned(
	editor: SchemaEditor,
	sequence: SequenceDescriptor,
	options: readonly Option[],
): SequenceDescriptor {
	const before = editor.catalog.relation(sequence.ownedBy?.tableOid ?? 0);
	const column =
		before?.kind === "table" ? before.columns[(sequence.ownedBy?.attnum ?? 0) - 1] : undefined;
	if (column?.identity !== undefined) {
		throw new DatabaseError("0A000", "cannot change ownership of identity sequence", {
			detail: `Sequence "${sequence.name}" is linked to table "${before?.name}".`,
		});
	}
	const ownedBy = ownerOf(editor, options);
	const table = editor.catalog.relation(ownedBy?.tableOid ?? 0);
	if (table !== undefined && roleOf(table) !== roleOf(sequence)) {
		throw new DatabaseError("55000", "sequence must have same owner as table it is linked to");
	}
	requireSameSchema(editor, sequence.schema, ownedBy);
	return { ...sequence, ownedBy };
}

/** Throws 22023. */
function requireBounds({ min, max }: SequenceDescriptor, value: bigint): void {
	if (value < BigInt(min)) {
		throw new DatabaseError(
			"22023",
			`RESTART value (${value}) cannot be less than MINVALUE (${min})`,
		);
	}
	if (value > BigInt(max)) {
		throw new DatabaseError(
			"22023",
			`RESTART value (${value}) cannot be greater than MAXVALUE (${max})`,
		);
	}
}

/** Where the sequence is must be within its new bounds. Throws 22023. */
async function requireWithin(editor: SchemaEditor, sequence: SequenceDescriptor): Promise<void> {
	const [bytes] = await editor.read([sequenceKey(sequence.valueId)]);
	if (bytes !== undefined) requireBounds(sequence, decodeSequenceValue(bytes).last);
}

/** A new key for its value: it restarts with the transaction. Throws 22023. */
async function restarted(
	editor: SchemaEditor,
	sequence: SequenceDescriptor,
	{ value }: Option,
): Promise<SequenceDescriptor> {
	const { restart: _before, ...rest } = sequence;
	const restart = String(value ?? sequence.start);
	requireBounds(sequence, BigInt(restart));
	return { ...rest, valueId: await editor.newDataId(sequence.schema), restart };
}
