/**
 * `quorate cert create`: what a test cluster needs of certificates. There are two authorities: one for what clients see and show,
 * one for nodes, so that no client's certificate opens the way between nodes. Files that are there are kept.
 *
 * node:crypto makes the keys; node-forge puts certificates together, which Node cannot. Authorities that matter are better kept
 * elsewhere, away from the nodes.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import forge from "node-forge";
import { UserError } from "./user-error.ts";

export interface CertFlags {
	readonly dir: string;
	readonly host: readonly string[];
	readonly user: readonly string[];
}

type Certificate = forge.pki.Certificate;

interface Pair {
	readonly certificate: Certificate;
	readonly key: forge.pki.rsa.PrivateKey;
}

const keyBits = 2048;
const authorityYears = 10;
const leafYears = 2;

/** Says what it made. Throws `UserError`. */
export function runCertCreate(flags: CertFlags): void {
	const { dir, host: hosts, user: users } = flags;
	for (const host of hosts) {
		if (!/^[A-Za-z0-9.:-]+$/.test(host))
			throw new UserError(`--host "${host}" is no name of a host`);
	}
	for (const user of users) {
		if (!/^[^/\0]+$/.test(user))
			throw new UserError(`--user "${user}" cannot be part of a file's name`);
	}
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	const clients = authority(dir, "ca", "Quorate clients");
	const nodes = authority(dir, "node-ca", "Quorate nodes");
	leaf(dir, "server", clients, hosts[0] ?? "server", hosts, ["serverAuth"]);
	leaf(dir, "node", nodes, "node", hosts, ["serverAuth", "clientAuth"]);
	for (const user of users) leaf(dir, `client.${user}`, clients, user, [], ["clientAuth"]);
}

const certificateOf = (dir: string, name: string): string => join(dir, `${name}.crt`);
const keyOf = (dir: string, name: string): string => join(dir, `${name}.key`);

function authority(dir: string, name: string, commonName: string): Pair {
	if (existsSync(certificateOf(dir, name))) {
		const text = (path: string): string => readFileSync(path, "utf8");
		return {
			certificate: forge.pki.certificateFromPem(text(certificateOf(dir, name))),
			key: forge.pki.privateKeyFromPem(text(keyOf(dir, name))),
		};
	}
	const pair = newPair(commonName, authorityYears);
	pair.certificate.setIssuer(pair.certificate.subject.attributes);
	pair.certificate.setExtensions([
		{ name: "basicConstraints", cA: true, critical: true },
		{ name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
		{ name: "subjectKeyIdentifier" },
	]);
	pair.certificate.sign(pair.key, forge.md.sha256.create());
	write(dir, name, pair);
	return pair;
}

function leaf(
	dir: string,
	name: string,
	issuer: Pair,
	commonName: string,
	hosts: readonly string[],
	usages: readonly string[],
): void {
	if (existsSync(certificateOf(dir, name))) {
		console.log(`${certificateOf(dir, name)} is there already: kept`);
		return;
	}
	const pair = newPair(commonName, leafYears);
	const { certificate } = pair;
	certificate.setIssuer(issuer.certificate.subject.attributes);
	const altNames = hosts.map((host) =>
		isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host },
	);
	certificate.setExtensions([
		{ name: "basicConstraints", cA: false, critical: true },
		{ name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
		{ name: "extKeyUsage", ...Object.fromEntries(usages.map((usage) => [usage, true])) },
		...(altNames.length === 0 ? [] : [{ name: "subjectAltName", altNames }]),
		{ name: "subjectKeyIdentifier" },
		{
			name: "authorityKeyIdentifier",
			keyIdentifier: issuer.certificate.generateSubjectKeyIdentifier().getBytes(),
		},
	]);
	certificate.sign(issuer.key, forge.md.sha256.create());
	write(dir, name, pair);
}

/** Unsigned. */
function newPair(commonName: string, years: number): Pair {
	const { privateKey } = generateKeyPairSync("rsa", {
		modulusLength: keyBits,
		publicKeyEncoding: { type: "spki", format: "pem" },
		privateKeyEncoding: { type: "pkcs1", format: "pem" },
	});
	const key = forge.pki.privateKeyFromPem(privateKey);
	const certificate = forge.pki.createCertificate();
	certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
	// Positive, and without a zero in front.
	certificate.serialNumber = `4${randomBytes(16).toString("hex").slice(1)}`;
	const { validity } = certificate;
	// Clocks of a cluster differ.
	validity.notBefore = new Date(Date.now() - 3_600_000);
	validity.notAfter = new Date();
	validity.notAfter.setFullYear(validity.notAfter.getFullYear() + years);
	certificate.setSubject([{ name: "commonName", value: commonName }]);
	return { certificate, key };
}

function write(dir: string, name: string, { certificate, key }: Pair): void {
	writeFileSync(keyOf(dir, name), forge.pki.privateKeyToPem(key), { mode: 0o600, flag: "wx" });
	writeFileSync(certificateOf(dir, name), forge.pki.certificateToPem(certificate), { flag: "wx" });
	console.log(`made ${certificateOf(dir, name)} and its key`);
}
