// The languages of the page, and one that reads from right to left.
import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, shows, state } from "./shown.js";
import { Site } from "./site.js";
import { violations } from "./violations.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

const spoken = (page: Page) =>
  page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);

test("the page speaks the language of the browser, unless another one was chosen", async () => {
  const board = await site.board({ Offen: ["Eins"] });
  const page = await site.person("ann", { locale: "de-AT" });
  await page.goto(`/b/${board.id}`);
  await card(page, "Eins").waitFor();
  await page.getByRole("button", { name: "Karte hinzufügen" }).waitFor();
  await page.getByText("1 Karte in Offen").waitFor({ state: "attached" });
  expect(await spoken(page)).toEqual(["de", "ltr"]);
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("link", { name: "Konto" }).click();
  await page.getByRole("combobox", { name: "Sprache" }).selectOption("English");
  await page.getByRole("heading", { name: "Sessions" }).waitFor();
  expect(await spoken(page)).toEqual(["en", "ltr"]);
  await page.goto(`/b/${board.id}`);
  await page.getByRole("button", { name: "Add a card" }).waitFor();
  await page.goto("/me");
  await page.getByRole("combobox", { name: "Language" }).selectOption("That of the browser");
  await page.getByRole("heading", { name: "Sitzungen" }).waitFor();

  const french = await site.stranger({ locale: "fr-FR" });
  await french.goto("/sign-in");
  await french.getByRole("heading", { name: "Sign in" }).waitFor();
  const german = await site.stranger({ locale: "de-DE" });
  await german.goto("/sign-in");
  await german.getByRole("heading", { name: "Anmelden" }).waitFor();
});

test("what the server refuses is said in the language of the page", async () => {
  const board = await site.board({ Offen: ["Eins"], Arbeit: ["Zwei"] });
  const wip = { limit: 1, kind: "hard" as const };
  await board.submit({ type: "column.set", column: "Arbeit", wip }).saved();
  const page = await site.person("ann", { locale: "de-DE" });
  await page.goto(`/b/${board.id}`);
  await card(page, "Eins").focus();
  await page.keyboard.press("Alt+ArrowRight");
  await page.locator(".notice").getByText("Die Spalte ist voll.").waitFor();
  const stranger = await site.stranger({ locale: "de-DE" });
  await stranger.goto("/sign-in");
  await stranger.getByLabel("E-Mail").fill("nobody@example.org");
  await stranger.getByLabel("Passwort").fill("not the password");
  await stranger.getByRole("button", { name: "Weiter" }).click();
  await stranger
    .getByRole("alert")
    .getByText(/^Die Anmeldung gilt nicht\. \(/)
    .waitFor();
});

/** A browser of ann's in which the page reads from right to left. */
async function mirrored(options = {}): Promise<Page> {
  const page = await site.person("ann", options);
  await page.addInitScript(() => localStorage.setItem("boardcast-language", "ar-XB"));
  return page;
}

const boxOf = async (what: ReturnType<typeof card>) => {
  const box = await what.boundingBox();
  if (!box) throw new Error("it is not in view");
  return { ...box, right: box.x + box.width };
};

test("from right to left everything stands on the other side, and moves the other way", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Doing: ["Three"], Done: [] });
  const page = await mirrored({ viewport: { width: 1100, height: 700 } });
  await page.goto(`/b/${board.id}`);
  await card(page, "One").waitFor();
  await state(page).waitFor();
  expect(await spoken(page)).toEqual(["ar-XB", "rtl"]);
  const [first, second, third] = await Promise.all(
    ["To do", "Doing", "Done"].map((title) => boxOf(column(page, title))),
  );
  if (!first || !second || !third) throw new Error("there are three columns");
  expect(first.right).toBeGreaterThan(1_100 - 30);
  expect(first.x).toBeGreaterThanOrEqual(second.right);
  expect(second.x).toBeGreaterThanOrEqual(third.right);
  // Nothing is wider than the page.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1_100);

  await card(page, "One").focus();
  await page.keyboard.press("ArrowLeft");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  await shows(focused, "Three");
  await page.keyboard.press("ArrowRight");
  await shows(focused, "One");
  await page.keyboard.press("Alt+ArrowLeft");
  await shows(async () => board.cards("Doing"), ["One", "Three"]);
  await card(page, "Two").dragTo(column(page, "Done").locator(".lane"));
  await shows(async () => board.cards("Done"), ["Two"]);
  // Before a column is to the right of it.
  const place = { sourcePosition: { x: 60, y: 16 }, targetPosition: { x: 240, y: 16 } };
  await column(page, "Done")
    .locator("header")
    .dragTo(column(page, "To do").locator("header"), place);
  await shows(async () => board.columns().map(({ id }) => id), ["Done", "To-do", "Doing"]);
});

test("the keyboard reaches columns that are far to the left", async () => {
  const titles = Array.from({ length: 30 }, (_, at) => `Column ${at}`);
  const board = await site.board(
    Object.fromEntries(titles.map((title) => [title, [`In ${title}`]])),
  );
  const page = await mirrored();
  await page.goto(`/b/${board.id}`);
  await card(page, "In Column 0").focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  for (let at = 1; at < 20; at++) {
    await page.keyboard.press("ArrowLeft");
    await shows(focused, `In-Column-${at}`);
  }
  const box = await boxOf(card(page, "In Column 19"));
  expect(box.x).toBeGreaterThanOrEqual(0);
});

test("swimlanes, the card and the lists read from right to left", async () => {
  const board = await site.board({ "To do": ["One"], Done: ["Two"] });
  await board.submit({ type: "card.set", card: "One", set: { priority: "high", due: 1 } }).saved();
  const page = await mirrored({ viewport: { width: 1100, height: 700 } });
  await page.goto(`/b/${board.id}`);
  await card(page, "One").waitFor();
  mkdirSync("test-results", { recursive: true });
  await page.screenshot({ path: "test-results/right-to-left.png" });
  expect(await violations(page)).toEqual([]);
  await page.locator("#group").selectOption("priority");
  await page.locator(".swimlane").first().waitFor();
  const one = await boxOf(card(page, "One"));
  const two = await boxOf(card(page, "Two"));
  expect(one.x).toBeGreaterThan(two.right);
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  const text = await boxOf(dialog.locator(".open-card .text"));
  const aside = await boxOf(dialog.locator(".open-card aside"));
  expect(text.x).toBeGreaterThanOrEqual(aside.right);
  await page.screenshot({ path: "test-results/right-to-left-card.png" });
  expect(await violations(page)).toEqual([]);
  await page.goto("/");
  const title = await boxOf(page.locator(".bar h1"));
  const me = await boxOf(page.locator('.bar a[href="/me"]'));
  expect(title.x).toBeGreaterThan(me.x);
});
