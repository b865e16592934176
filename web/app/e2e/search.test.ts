// Finding cards: the filter of a board and the search over all boards, in one language.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, titles } from "./shown.js";
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

const filter = (page: Page) => page.getByRole("searchbox", { name: "Filter" });
const search = (page: Page) => page.getByRole("searchbox", { name: "Search all boards" });
const hits = (page: Page) => page.getByRole("region", { name: "Cards" }).getByRole("link");
const openCards = (page: Page) => page.locator(".card .title").allInnerTexts();

test("a filter leaves the cards that fit, also as they change, and the keys go along them", async () => {
  const board = await site.board({ "To do": ["Red apple", "Pear", "Green apple"], Done: ["Plum"] });
  board.submit({ type: "label.create", label: "l", name: "Ripe", color: "red" });
  await board.submit({ type: "card.label", card: "Plum", label: "l", on: true }).live();
  const page = await opened(site, "ann", board);
  await page.keyboard.press("/");
  await page.keyboard.type("APPLE");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await shows(() => titles(page, "Done"), []);
  await column(page, "To do").getByText("2 of 3", { exact: true }).waitFor();
  await board.submit({ type: "card.set", card: "Pear", set: { title: "Apple pie" } }).live();
  await shows(() => titles(page, "To do"), ["Red apple", "Apple pie", "Green apple"]);
  await filter(page).fill("re apple");
  await shows(() => titles(page, "To do"), ["Red apple"]);
  await filter(page).fill("apple -pie");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await card(page, "Red apple").focus();
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  await shows(focused, "Green-apple");
  await page.keyboard.press("Alt+ArrowUp");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple"]);
  await filter(page).fill("label:ripe");
  await shows(() => titles(page, "Done"), ["Plum"]);
  await shows(() => titles(page, "To do"), []);
  await filter(page).press("Escape");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple", "Apple pie"]);
  await shows(async () => board.cards("To-do"), ["Green-apple", "Red-apple", "Pear"]);
});

test("a filter finds what stands in descriptions and comments, which only the server has", async () => {
  const board = await site.board({ "To do": ["One", "Two", "Three"] });
  board.submit({ type: "card.set", card: "One", set: { description: "Sow the Möhren" } });
  board.submit({ type: "comment.create", card: "Two", comment: "m", text: "mohren are out" });
  await board.submit({ type: "card.set", card: "Three", set: { due: 1 } }).saved();
  const page = await opened(site, "ann", board);
  await filter(page).fill("mohren");
  await shows(() => openCards(page), ["One", "Two"]);
  await filter(page).fill("-mohren");
  await shows(() => openCards(page), ["Three"]);
  await filter(page).fill("mohr -sow");
  await shows(() => openCards(page), ["Two"]);
  const set = { description: "Mohren, too" };
  await board.submit({ type: "card.set", card: "Three", set }).live();
  await shows(() => openCards(page), ["Two", "Three"]);
  await filter(page).fill("mohren is:overdue");
  await shows(() => openCards(page), ["Three"]);
});

test("archived cards are found as the server finds them, and shown where they stood", async () => {
  const board = await site.board({
    "To do": ["Red apple", "Pear", "Green apple"],
    Done: ["Plum", "Apple pie"],
    Old: ["Apple tart", "Fig"],
  });
  const set = { description: "with an apple inside" };
  board.submit({ type: "card.set", card: "Pear", set });
  board.submit({ type: "card.set", card: "Plum", set });
  for (const card of ["Red-apple", "Pear", "Plum"])
    board.submit({ type: "card.archive", card, archived: true });
  await board.submit({ type: "column.set", column: "Old", archived: true }).saved();
  const page = await opened(site, "ann", board);
  const headers = { authorization: `Bearer ${site.server.token("ann")}` };
  const path = `${site.server.url}/api/v1/boards/${board.id}/cards?limit=200&q=`;
  const ofServer = async (query: string): Promise<string[]> => {
    const answer = await fetch(path + encodeURIComponent(query), { headers });
    const { cards } = (await answer.json()) as { cards: { title: string }[] };
    return cards.map(({ title }) => title).sort();
  };
  const shown = async () => (await openCards(page)).sort();
  const found: Record<string, string[]> = {
    "is:archived": ["Apple tart", "Fig", "Pear", "Plum", "Red apple"],
    "is:archived apple": ["Apple tart", "Pear", "Plum", "Red apple"],
    "is:archived -apple": ["Fig"],
    "is:archived column:done": ["Plum"],
    "is:archived is:open": [],
    "-is:archived": ["Apple pie", "Green apple"],
    apple: ["Apple pie", "Green apple"],
  };
  for (const [query, titles] of Object.entries(found)) {
    expect([query, await ofServer(query)]).toEqual([query, titles]);
    await filter(page).fill(query);
    await shows(shown, titles);
  }
  // The order is that of the column, and a column in the archive takes nothing.
  await filter(page).fill("is:archived");
  await shows(() => titles(page, "To do"), ["Red apple", "Pear"]);
  await card(page, "Pear").getByText("archived").waitFor();
  const old = column(page, "Old");
  await old.locator("header").getByText("archived").waitFor();
  expect(await old.getByRole("button", { name: "Add a card" }).count()).toBe(0);
  await card(page, "Red apple").focus();
  for (const key of ["ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  await shows(focused, "Apple-tart");
  expect(await violations(page)).toEqual([]);
  // What comes out of the archive is not there any more.
  await board.submit({ type: "card.archive", card: "Pear", archived: false }).live();
  await shows(() => titles(page, "To do"), ["Red apple"]);
});

test("a faulty filter says what is wrong and leaves the cards that were there", async () => {
  const board = await site.board({ "To do": ["One", "Two"] });
  const page = await opened(site, "ann", board);
  await filter(page).fill("two");
  await shows(() => openCards(page), ["Two"]);
  await filter(page).fill("two is:done");
  await page.getByText("At character 8: done is not known").waitFor();
  expect(await filter(page).getAttribute("aria-invalid")).toBe("true");
  expect(await openCards(page)).toEqual(["Two"]);
  await filter(page).fill("is:open");
  await shows(() => openCards(page), ["One", "Two"]);
  await page.getByText("At character").waitFor({ state: "detached" });
});

test("the search finds cards of all boards, and the keyboard opens one", async () => {
  const board = await site.board({ "To do": ["Buy seeds"], Done: [] }, { bob: "editor" });
  await board.submit({ type: "board.set", title: "Garden" }).saved();
  const other = await site.board({ Ideas: ["One"] });
  const set = { description: "where are the *seeds* of last year?" };
  await other.submit({ type: "card.set", card: "One", set }).saved();
  const page = await site.person("ann");
  // Lists follow the boards within about a second.
  const listed = page.getByRole("link", { name: /^Garden/ });
  const isListed = async () => {
    await page.goto("/");
    return listed.waitFor({ timeout: 1_000 }).then(
      () => true,
      () => false,
    );
  };
  await expect.poll(isListed, { timeout: 10_000 }).toBe(true);
  await page.keyboard.press("/");
  // The index follows the boards within about a second.
  await expect
    .poll(
      async () => {
        await search(page).fill("");
        await search(page).fill("seed");
        await page.getByText("found", { exact: false }).first().waitFor({ state: "attached" });
        return hits(page).count();
      },
      { timeout: 10_000 },
    )
    .toBe(2);
  const first = hits(page).first();
  await first.getByText("Garden · To do #1").waitFor();
  expect(await hits(page).locator("mark").allInnerTexts()).toEqual(["seeds", "seeds"]);
  await hits(page).nth(1).getByText("Description: where are the").waitFor();
  // Boards whose title does not fit are not listed meanwhile.
  expect(await page.getByRole("link", { name: /^Garden/ }).count()).toBe(0);
  expect(page.url()).toBe(`${site.url}/?q=seed`);
  await search(page).fill("label:");
  await page.getByRole("alert").getByText("At character 7: write label:name").waitFor();
  await search(page).fill("board:garden seed");
  await shows(() => hits(page).count(), 1);
  await first.press("Enter");
  await page.getByRole("dialog").getByRole("heading", { name: "Buy seeds" }).waitFor();
  expect(page.url()).toBe(`${site.url}/b/${board.id}/c/Buy-seeds`);
  await page.goBack();
  await shows(() => search(page).inputValue(), "board:garden seed");

  // From the palette of a board.
  const bob = await opened(site, "bob", board);
  await bob.keyboard.press("Control+k");
  await bob.getByRole("combobox", { name: "Boards, cards" }).fill("seeds");
  await bob.getByRole("option", { name: "Search all boards for “seeds”" }).click();
  // What he may not read is not found.
  await hits(bob).getByText("Buy seeds").waitFor();
  expect(await hits(bob).count()).toBe(1);
  await search(bob).fill("no such words anywhere");
  await bob.getByText("No card fits.").waitFor();
});

test("further pages of what was found come on request, and no card twice", async () => {
  const many = Array.from({ length: 45 }, (_, at) => `Tulip ${at}`);
  await site.board({ "To do": many });
  const page = await site.person("ann");
  await expect
    .poll(
      async () => {
        await page.goto("/?q=tulip");
        await hits(page).first().waitFor();
        return hits(page).count();
      },
      { timeout: 10_000 },
    )
    .toBe(20);
  const more = page.getByRole("button", { name: "Show more" });
  await more.click();
  await shows(() => hits(page).count(), 40);
  await more.click();
  await shows(() => hits(page).count(), 45);
  const found = await hits(page).locator(".title").allInnerTexts();
  expect(new Set(found).size).toBe(45);
  await shows(() => more.count(), 0);
});
