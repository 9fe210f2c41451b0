/** What rules about clients compare with, of a certificate that OpenSSL has made. */
import { X509Certificate } from "node:crypto";
import test from "ava";
import { subjectOf } from "./certificate-subject.ts";

const certificate = `-----BEGIN CERTIFICATE-----
MIICHDCCAcECFDcOrpTARXu8zQUv77/j0KBHcshiMAoGCCqGSM49BAMCMIGOMQsw
CQYDVQQGEwJERTEgMB4GA1UECgwXQWNtZSwgIkluYyIgKyA8eD47IGFcXGIxDjAM
BgNVBAsMBSBsZWFkMQ8wDQYDVQQLDAYjaGFzaCAxFDASBgNVBAsMC0dyw7bDn2Ug
4oKsMSYwCgYDVQQDDANhbm4wGAYJKoZIhvcNAQkBFgthQGIuZXhhbXBsZTAgFw0y
NjExMjIyMjI2NDhaGA8yMTI2MTAyOTIyMjY0OFowgY4xCzAJBgNVBAYTAkRFMSAw
HgYDVQQKDBdBY21lLCAiSW5jIiArIDx4PjsgYVxcYjEOMAwGA1UECwwFIGxlYWQx
DzANBgNVBAsMBiNoYXNoIDEUMBIGA1UECwwLR3LDtsOfZSDigqwxJjAKBgNVBAMM
A2FubjAYBgkqhkiG9w0BCQEWC2FAYi5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZI
zj0DAQcDQgAEB7lm+Fz0dZllkCj4pX/Cl76/Wacm2tcQSWgzqTnul4rRrNDq9epl
PP/G9D9bJ39cbEPrJIkFZq0uWYXkWIt/bjAKBggqhkjOPQQDAgNJADBGAiEA7rET
jja0Pm++7u07XT75caHIaEDMD3+xabS7qV0vWikCIQCwzGf22JMQxHGiHK3ja/Fo
pBADF31UY+FhbRyHXuhrUA==
-----END CERTIFICATE-----`;

test("the names of a certificate, as openssl x509 -nameopt RFC2253 prints them", (t) => {
	t.deepEqual(subjectOf(new X509Certificate(certificate)), {
		commonName: "ann",
		distinguishedName: String.raw`emailAddress=a@b.example+CN=ann,OU=Gr\C3\B6\C3\9Fe \E2\82\AC,OU=\#hash\ ,OU=\ lead,O=Acme\, \"Inc\" \+ \<x\>\; a\\\\b,C=DE`,
	});
});

test("several common names are none, and a part without a name leaves no distinguished one", (t) => {
	const odd = (subject: string | undefined, CN?: unknown) =>
		subjectOf({
			subject,
			toLegacyObject: () => ({ subject: CN === undefined ? undefined : { CN } }),
		} as unknown as X509Certificate);
	t.deepEqual(odd("1.2.3.4=x\nCN=ann", "ann"), { commonName: "ann", distinguishedName: undefined });
	t.deepEqual(odd("CN=ann\nCN=bob", ["ann", "bob"]), {
		commonName: undefined,
		distinguishedName: "CN=bob,CN=ann",
	});
	t.deepEqual(odd(undefined), { commonName: undefined, distinguishedName: undefined });
});
