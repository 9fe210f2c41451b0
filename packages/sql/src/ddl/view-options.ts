/** Options of views: WITH CHECK OPTION, which PostgreSQL keeps as one of them, and those that are refused. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ViewDescriptor } from "../catalog/descriptor.ts";
import type { Option, Statement } from "../parser/ast.ts";
import { whyNotWritable } from "../plan/view-updates.ts";
import { findObject, tellMissing } from "./drop.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type CheckOption = ViewDescriptor["checkOption"];

/** ALTER VIEW ... SET (...), RESET (...). */
export async function alterView(
	editor: SchemaEditor,
	{ name, ifExists, options, reset }: Extract<Statement, { kind: "alter-view" }>,
): Promise<string> {
	const found = findObject(editor, name);
	if (found === undefined) {
		tellMissing(editor, name, ifExists);
		return "ALTER VIEW";
	}
	if (found.kind !== "view") {
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a view`);
	}
	editor.requireOwner(found.view);
	const given = reset ? undefined : checkOptionIn(options);
	if (!options.some((option) => option.name === "check_option")) return "ALTER VIEW";
	const { checkOption: _before, ...view } = found.view;
	await editor.put(withCheckOption(view, given));
	return "ALTER VIEW";
}

/** Throws 0A000: only what can be changed through can be checked. */
export function withCheckOption<T extends Pick<ViewDescriptor, "query" | "references">>(
	view: T,
	checkOption: CheckOption,
): T & Pick<ViewDescriptor, "checkOption"> {
	if (checkOption === undefined) return view;
	const why = whyNotWritable(view);
	if (why === undefined) return { ...view, checkOption };
	throw new DatabaseError(
		"0A000",
		"WITH CHECK OPTION is supported only on automatically updatable views",
		{ hint: why },
	);
}

/** Throws 22023, 0A000. */
export function checkOptionIn(options: readonly Option[]): CheckOption {
	let found: CheckOption;
	for (const { name, value } of options) {
		if (name === "check_option") found = scopeOf(value);
		else refuse(name, value);
	}
	return found;
}

function scopeOf(value: Option["value"]): CheckOption {
	if (value === "local" || value === "cascaded") return value;
	throw new DatabaseError(
		"22023",
		`invalid value for enum option "check_option": ${String(value ?? true)}`,
		{ detail: 'Valid values are "local" and "cascaded".' },
	);
}

function refuse(name: string, value: Option["value"]): void {
	if (name !== "security_barrier" && name !== "security_invoker") {
		throw new DatabaseError("22023", `unrecognized parameter "${name}"`);
	}
	if (value === false || value === "off" || value === "false" || value === 0) return;
	throw new DatabaseError("0A000", `the option ${name} of views is not supported`, {
		hint: "Views read with the rights of their owners.",
	});
}
