/** One line and exit code 1 where Node.js is too old. Written so that an old one can run it. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
	console.error(`quorate: needs Node.js 20.19 or newer, this is ${process.versions.node}`);
	process.exit(1);
}
