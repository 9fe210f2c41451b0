/**
 * SASLprep (RFC 4013), so that a password is the same whichever way a keyboard composed it. As in PostgreSQL, a password that it
 * refuses (not UTF-8, forbidden or mixed-direction characters) is used as it is. Code points that Unicode 3.2 had not
 * assigned are not told apart: they go through the normalization of this Unicode version.
 */
// biome-ignore lint/suspicious/noMisleadingCharacterClass: a class of single code points
const mappedToNothing = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu;
const otherSpaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
const prohibited =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	/[\u0000-\u001f\u007f-\u009f\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f\ufdd0-\ufdef\ufeff\ufff9-\uffff\u2ff0-\u2ffb]|\u0340|\u0341|[\u{1d173}-\u{1d17a}]|\p{Co}|\p{Cs}|[\u{1fffe}\u{1ffff}\u{2fffe}\u{2ffff}\u{e0001}\u{e0020}-\u{e007f}]/u;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;
const leftToRight = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;

export function saslprep(password: string): string {
	if (/^[\u0020-\u007e]*$/.test(password)) return password;
	const prepared = password
		.replace(otherSpaces, " ")
		.replace(mappedToNothing, "")
		.normalize("NFKC");
	if (prepared === "" || prohibited.test(prepared)) return password;
	if (rightToLeft.test(prepared)) {
		const characters = [...prepared];
		const isBounded =
			rightToLeft.test(characters[0] ?? "") && rightToLeft.test(characters.at(-1) ?? "");
		if (leftToRight.test(prepared) || !isBounded) return password;
	}
	return prepared;
}
