/** Whom a certificate is of, in the forms that rules about clients compare. */
import type { X509Certificate } from "node:crypto";
import type { CertificateSubject } from "./runtime.ts";

export function subjectOf(certificate: X509Certificate): CertificateSubject {
	// Undefined where there are no parts at all.
	const commonName: unknown = certificate.toLegacyObject().subject?.CN;
	return {
		// Several names are none.
		commonName: typeof commonName === "string" ? commonName : undefined,
		distinguishedName: distinguishedName(certificate.subject),
	};
}

/**
 * What OpenSSL prints under XN_FLAG_RFC2253, from what Node has it print: a line for each part, " + " between those that go together, special
 * and control characters escaped already. The order is the other one, and each byte above 0x7f is escaped.
 */
function distinguishedName(subject: string | undefined): string | undefined {
	const sets = (subject ?? "").split("\n").map((line) => line.split(" + "));
	// Of a part that has a number for a name, RFC 2253 writes the DER.
	if (!sets.flat().every((part) => /^[A-Za-z][^=]*=/.test(part))) return undefined;
	const text = sets
		.map((parts) => parts.reverse().join("+"))
		.reverse()
		.join(",");
	return text.replace(/\P{ASCII}+/gu, (some) =>
		Buffer.from(some, "utf8").toString("hex").toUpperCase().replace(/../g, "\\$&"),
	);
}
