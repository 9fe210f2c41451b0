/** The console as an operator's browser shows it: what is counted is what stands in the page. */
import { ownVersions } from "@quorate/keys/cluster-version";
import test from "ava";
import { until } from "./harness/poll.ts";
import { ProcessCluster } from "./harness/process-cluster.ts";
import { ChromiumPage, findChromium } from "./tools/chromium.ts";

const chromium = findChromium();
const withBrowser = chromium === undefined ? test.serial.skip : test.serial;

withBrowser(
	"the console shows nodes, ranges, waits and statements, and a node that is down",
	async (t) => {
		const cluster = await ProcessCluster.start();
		t.teardown(() => cluster.close());
		const page = await ChromiumPage.open(chromium!);
		t.teardown(() => page.close());
		const [first, second] = [await cluster.node(1).connect(), await cluster.node(2).connect()];
		await first.query("CREATE TABLE orders (id int PRIMARY KEY, note text)");
		await first.query("INSERT INTO orders VALUES (1, 'secret')");
		await first.query("ALTER TABLE orders SPLIT AT VALUES (100), (77777)");
		await first.query("ALTER TABLE orders MERGE AT VALUES (100)");
		await first.query("BEGIN; UPDATE orders SET note = 'mine' WHERE id = 1");
		const waiting = second.query("UPDATE orders SET note = 'secret' WHERE id = 1");

		const count = (selector: string) =>
			page.value<number>(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
		const text = (selector: string) =>
			page.value<string>(`document.querySelector(${JSON.stringify(selector)}).innerText`);
		await page.size(1280, 900);
		await page.goTo(`http://127.0.0.1:${cluster.node(1).description.adminPort}/`);
		await until("the page shows three nodes that serve", async () => {
			return (await count("#nodes tbody .good")) === 3;
		});
		await until("it shows who waits", async () => (await text("#waits tbody")).includes("orders"));
		await until("it shows the ranges", async () => (await count("#ranges tbody .lease")) > 0);
		t.is(await count("#ranges tbody .cell"), 3 * (await count("#ranges tbody tr")));
		await until("it shows a statement without its literals", async () => {
			return (await text("#statements tbody")).includes("INSERT INTO orders VALUES (?, ?)");
		});
		await until("it shows what was split and merged by hand", async () => {
			const events = await text("#events tbody");
			return events.includes("SPLIT AT of table orders: 2 of 2") && events.includes("MERGE AT of");
		});
		const { oldest, newest } = ownVersions;
		const versions = `${oldest} to ${newest}`;
		const column = "#nodes tbody td:nth-child(5)";
		t.is(await text(column), versions);
		for (const stored of ["secret", "77777"]) t.false((await text("body")).includes(stored));
		await first.query("COMMIT");
		await waiting;
		await until("nobody waits", async () => (await text("#waits tbody")).startsWith("Nobody"));
		await until("two rates were drawn", async () => (await count(".u-over")) === 2);

		// Nothing is wider than a narrow window: tables scroll by themselves.
		await page.size(360, 700);
		await until("the page fits into the window, charts included", () =>
			page.value<boolean>("document.documentElement.scrollWidth <= 360"),
		);

		cluster.node(3).expectEnd();
		await cluster.node(3).kill();
		await until("the page shows a node that is down", async () => (await count("tr.down")) === 1);
		await until("and says so", async () => (await text("#health")).startsWith("1 of 3 nodes down"));
		t.deepEqual(page.errors, []);
		await first.end();
		await second.end();
	},
);
