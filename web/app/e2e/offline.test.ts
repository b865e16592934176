// The page without the network, and from one version of the server to the next.
import { readdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { NextVersion } from "./next-version.js";
import { card, column, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";
import { violations } from "./violations.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  site.door.reopen();
  expect(await site.closePages()).toEqual([]);
});

const KEEPS = { serviceWorkers: "allow" as const };

/** Ends when the page is kept in the browser as a whole. */
const isKept = (page: Page) =>
  page.evaluate(async () => void (await navigator.serviceWorker.ready));

/** The paths of all that is kept of pages. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys())
        paths.push(new URL(url).pathname);
    return paths.sort();
  });

async function keptPage(board: LiveBoard): Promise<Page> {
  const page = await site.person("ann", KEEPS);
  await page.goto(`/b/${board.id}`);
  await state(page).getByText("Live").waitFor();
  await isKept(page);
  return page;
}

test("without the network the page opens, boards are read and changed, and all goes out once", async () => {
  const garden = await site.board({ "To do": ["One"], Done: [] });
  await garden.submit({ type: "board.set", title: "Garden" }).saved();
  const house = await site.board({ "To do": ["Roof"] });
  await house.submit({ type: "board.set", title: "House" }).saved();
  const page = await keptPage(house);
  await page.goto(`/b/${garden.id}`);
  await state(page).getByText("Live").waitFor();
  const built = readdirSync("dist/assets").filter((name) => !/\.(map|br|gz)$/.test(name));
  const all = ["/", "/icon.svg", ...built.map((name) => `/assets/${name}`)];
  expect(await kept(page)).toEqual(all.sort());

  site.door.close();
  await page.reload();
  await state(page).getByText("Reconnecting in").waitFor();
  await page.getByText("This is the board as of").waitFor();
  await card(page, "One").focus();
  await page.keyboard.press("Alt+ArrowRight");
  await shows(() => titles(page, "Done"), ["One"]);
  await card(page, "One").press("Enter");
  await page.getByRole("dialog").getByLabel("Priority").selectOption("high");
  await page.keyboard.press("Escape");
  await state(page).getByText("2 unsaved changes").waitFor();

  // The other board, from the list of those that are kept.
  await page.goto("/");
  await page.getByText("These boards are kept in this browser").waitFor();
  await shows(() => page.locator(".boards > ul .title").allInnerTexts(), ["Garden", "House"]);
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "House" }).click();
  await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel("Title of the card").fill("Door");
  await page.getByLabel("Title of the card").press("Enter");
  await state(page).getByText("1 unsaved change").waitFor();
  await page.reload();
  await shows(() => titles(page, "To do"), ["Roof", "Door"]);

  const before = [garden.version, house.version];
  site.door.reopen();
  await state(page).getByText("Saved", { exact: true }).waitFor({ timeout: 30_000 });
  await shows(
    async () => [garden.version, house.version],
    [(before[0] ?? 0) + 2, (before[1] ?? 0) + 1],
  );
  expect(garden.get("cards", "One")).toMatchObject({ column: "Done", priority: "high" });
  await shows(
    async () => house.cards("To-do").map((id) => house.get("cards", id)?.title),
    ["Roof", "Door"],
  );
});

test("a new version of the server is told to open tabs, and comes with the next page", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await keptPage(board);
  const script = () => page.locator("script[type=module]").getAttribute("src");
  const before = await script();
  const next = await NextVersion.before(site.server.port);
  try {
    site.leadTo(next.port);
    await page
      .locator(".word")
      .getByText("The server has a new version")
      .waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Load the new version" }).waitFor();
    // The board goes on being worked on, and its cards are opened by the old one.
    await card(page, "One").click();
    await page.getByRole("dialog").getByLabel("Priority").selectOption("high");
    await page.keyboard.press("Escape");
    await state(page).getByText("Saved", { exact: true }).waitFor();
    expect(await script()).toBe(before);
    await shows(
      async () => (await kept(page)).filter((path) => !/NEXT|^\/(icon.svg)?$/.test(path)),
      [],
    );
    await page.getByRole("link", { name: "Boards" }).click();
    await page.getByRole("heading", { name: "Boards", exact: true }).waitFor();
    await shows(script, before?.replace(".js", "-NEXT.js"));
    expect(await page.getByRole("button", { name: "Load the new version" }).count()).toBe(0);
    // It is the one that is kept.
    site.door.close();
    await page.goto(`/b/${board.id}`);
    await card(page, "One").waitFor();
    expect(await script()).toBe(before?.replace(".js", "-NEXT.js"));
  } finally {
    site.leadTo(site.server.port);
    await next.stop();
  }
});

test("who has signed out is not shown anything of the boards, with the network or without it", async () => {
  const page = await site.stranger(KEEPS);
  await site.firstStart(page);
  await page.getByLabel("Title of the board").fill("Cellar");
  await page.getByRole("button", { name: "New board" }).click();
  await state(page).getByText("Saved", { exact: true }).waitFor();
  const address = page.url();
  await isKept(page);
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("link", { name: "Cellar" }).waitFor();
  // The session of the server cannot be ended now, and that is said.
  site.door.close();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("status").getByText("to sign you out; try again").waitFor();
  site.door.reopen();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  site.door.close();
  await page.goto(address);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.getByText("Cellar").count()).toBe(0);
  const rows = await page.evaluate(async () => {
    const { store } = await new Promise<{ store: IDBObjectStore }>((resolve) => {
      const opening = indexedDB.open("boardcast");
      opening.onsuccess = () =>
        resolve({ store: opening.result.transaction("views").objectStore("views") });
    });
    return new Promise((resolve) => {
      const all = store.count();
      all.onsuccess = () => resolve(all.result);
    });
  });
  expect(rows).toBe(0);
  expect(Object.keys(await page.evaluate(() => ({ ...localStorage })))).toEqual([]);
});
