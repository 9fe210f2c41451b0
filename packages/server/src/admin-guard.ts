/**
 * Who may read from the admin port: programs of this machine, and pages that it gave itself. A page from elsewhere could reach it through
 * the operator's browser: directly, or under a name of its own that it lets point to 127.0.0.1 (DNS rebinding). So a name must be
 * `localhost` or an address, and what a browser says of where a request comes from is believed.
 */
import type { IncomingHttpHeaders } from "node:http";

const nameOrAddress = /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d+)?$/i;

/** Why a request is refused; undefined: it is not. */
export function refusalOf(headers: IncomingHttpHeaders, path: string): string | undefined {
	const { host, origin } = headers;
	if (host !== undefined && !nameOrAddress.test(host)) {
		return "the Host header must be an IP address or localhost";
	}
	if (origin !== undefined && origin !== `http://${host}`) {
		return "pages of another origin may not read this";
	}
	const site = headers["sec-fetch-site"];
	// A link to the page from elsewhere is followed.
	if (path !== "/" && (site === "cross-site" || site === "same-site")) {
		return "pages of another site may not read this";
	}
	return undefined;
}

/** Nothing from elsewhere, nothing inline, in no frame; what is read is of the moment. */
export const answerHeaders: Readonly<Record<string, string>> = {
	"content-security-policy":
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"cross-origin-resource-policy": "same-origin",
	"referrer-policy": "no-referrer",
	"x-content-type-options": "nosniff",
	"cache-control": "no-store",
};
