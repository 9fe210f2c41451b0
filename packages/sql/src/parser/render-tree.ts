/** Syntax trees as short text, for golden files: kind(field: value, ...), without positions and what is empty, false or missing. */

export function renderTree(value: unknown): string {
	if (Array.isArray(value)) {
		return `[${value.map(renderTree).join(", ")}]`;
	}
	if (typeof value !== "object" || value === null) {
		return JSON.stringify(value);
	}
	if ("parts" in value && Array.isArray(value.parts)) {
		return value.parts.map((part) => JSON.stringify(part)).join(".");
	}
	const fields = Object.entries(value)
		.filter(
			([key, field]) => key !== "kind" && key !== "at" && !key.endsWith("At") && !isEmpty(field),
		)
		.map(([key, field]) => `${key}: ${renderTree(field)}`);
	const kind = "kind" in value ? String(value.kind) : "";
	return `${kind}(${fields.join(", ")})`;
}

const isEmpty = (field: unknown): boolean =>
	field === undefined || field === false || (Array.isArray(field) && field.length === 0);
