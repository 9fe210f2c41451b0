/**
 * A headless Chromium of the system, driven through a pipe by its own protocol (chromedevtools.github.io/devtools-protocol): a library
 * for that would be larger than what is tested.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { ended, signalOwned, spawnOwned } from "../harness/owned-processes.ts";

const programs = ["chromium", "chromium-browser", "google-chrome"];

/** Undefined: there is none. */
export function findChromium(): string | undefined {
	return programs.find((program) => {
		try {
			execFileSync(program, ["--version"], { stdio: "ignore" });
			return true;
		} catch {
			return false;
		}
	});
}

interface Answer {
	readonly id?: number;
	readonly method?: string;
	readonly params?: Record<string, unknown>;
	readonly result?: Record<string, unknown>;
	readonly error?: { readonly message: string };
}

/** One page in a browser of its own. */
export class ChromiumPage {
	/** What the page has logged as an error, or was refused by its policy. */
	readonly errors: string[] = [];
	readonly #child: ReturnType<typeof spawnOwned>;
	readonly #profile: string;
	readonly #commands: Writable;
	readonly #waiting = new Map<number, (answer: Answer) => void>();
	#session = "";
	#next = 1;
	#received = "";

	private constructor(program: string) {
		this.#profile = mkdtempSync(join(tmpdir(), "quorate-chromium-"));
		const flags = [
			"--headless=new",
			"--no-sandbox",
			"--disable-gpu",
			"--disable-dev-shm-usage",
			"--no-first-run",
			"--disable-extensions",
			"--remote-debugging-pipe",
			`--user-data-dir=${this.#profile}`,
			"about:blank",
		];
		this.#child = spawnOwned(program, flags, {
			stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
		});
		this.#commands = this.#child.stdio[3] as Duplex;
		(this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
			this.#received += text;
			const messages = this.#received.split("\0");
			this.#received = messages.pop() ?? "";
			for (const message of messages) this.#take(JSON.parse(message) as Answer);
		});
	}

	static async open(program: string): Promise<ChromiumPage> {
		const page = new ChromiumPage(program);
		const { targetInfos } = await page.send("Target.getTargets");
		const target = (targetInfos as { type: string; targetId: string }[]).find(
			({ type }) => type === "page",
		);
		const attached = await page.send("Target.attachToTarget", {
			targetId: target?.targetId,
			flatten: true,
		});
		page.#session = String(attached["sessionId"]);
		for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
		return page;
	}

	#take({ id, method, params, ...answer }: Answer): void {
		if (id !== undefined) {
			this.#waiting.get(id)?.(answer);
			this.#waiting.delete(id);
		} else if (method === "Runtime.exceptionThrown") {
			this.errors.push(JSON.stringify(params?.["exceptionDetails"]));
		} else if (method === "Log.entryAdded") {
			const entry = params?.["entry"] as { level: string; text: string };
			if (entry.level === "error") this.errors.push(entry.text);
		}
	}

	send(
		method: string,
		params: Record<string, unknown> = {},
	): Promise<Readonly<Record<string, unknown>>> {
		const id = this.#next++;
		const session = this.#session === "" ? {} : { sessionId: this.#session };
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, ({ result, error }) =>
				error === undefined ? resolve(result ?? {}) : reject(new Error(error.message)),
			);
			this.#commands.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
		});
	}

	async goTo(url: string): Promise<void> {
		await this.send("Page.navigate", { url });
	}

	async size(width: number, height: number): Promise<void> {
		const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
		await this.send("Emulation.setDeviceMetricsOverride", metrics);
	}

	async colors(scheme: "light" | "dark"): Promise<void> {
		const features = [{ name: "prefers-color-scheme", value: scheme }];
		await this.send("Emulation.setEmulatedMedia", { features });
	}

	/** The value of an expression in the page. */
	async value<T>(expression: string): Promise<T> {
		const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
			expression,
			awaitPromise: true,
			returnByValue: true,
		});
		if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
		return (result as { value: T }).value;
	}

	/** A PNG of the whole page. */
	async screenshot(): Promise<Buffer> {
		const { data } = await this.send("Page.captureScreenshot", { captureBeyondViewport: true });
		return Buffer.from(String(data), "base64");
	}

	async close(): Promise<void> {
		signalOwned(this.#child, "SIGKILL");
		await ended(this.#child);
		rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
	}
}
