// Journeys through the page in a real browser, against the real server.
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { idOf, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  site.door.reopen();
  expect(await site.closePages()).toEqual([]);
});

const column = (page: Page, title: string) =>
  page.getByRole("region", { name: title, exact: true });
const card = (page: Page, title: string) => page.locator(`[data-card="${idOf(title)}"]`);
const state = (page: Page) => page.locator(".connection");
/** The titles of the cards of a column, as they are shown. */
const titles = (page: Page, title: string) =>
  column(page, title).locator(".card .title").allInnerTexts();

/** Ends when a question to the page has this answer. */
async function shows<T>(ask: () => Promise<T>, answer: T): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    const now = await ask();
    if (JSON.stringify(now) === JSON.stringify(answer)) return;
    if (Date.now() > until) return expect(now).toEqual(answer);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function opened(user: string, board: LiveBoard): Promise<Page> {
  const page = await site.person(user);
  await page.goto(`/b/${board.id}`);
  await state(page).getByText("Live").waitFor();
  return page;
}

async function focus(tile: Locator): Promise<void> {
  await tile.focus();
}

test("the first administrator comes in, makes a board, goes out and comes in again", async () => {
  const page = await site.stranger();
  const answer = await page.goto("/");
  expect(answer?.headers()["content-security-policy"]).toContain("default-src 'none'");
  await page.waitForURL("**/sign-in");
  await site.firstStart(page);
  await page.getByText("You have no boards yet").waitFor();
  await page.getByLabel("Title of the board").fill("Garden");
  await page.getByRole("button", { name: "New board" }).click();
  await shows(
    () => page.getByRole("region").locator("h2").allInnerTexts(),
    ["To do", "Doing", "Done"],
  );
  await state(page).getByText("Saved").waitFor();
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("link", { name: "Garden" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await page.getByLabel("E-mail").fill("ann@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Continue" }).click();
  await page
    .getByRole("alert")
    .getByText(/password/)
    .waitFor();
  await site.signIn(page);
  await page.getByRole("link", { name: "Garden" }).waitFor();
});

test("two people see what the other does, and each other", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: [] }, { bob: "editor" });
  const ann = await opened("ann", board);
  const bob = await opened("bob", board);
  await ann.locator(".people").getByText("bob").waitFor({ state: "attached" });
  await column(ann, "To do").getByRole("button", { name: "Add a card" }).click();
  const field = ann.getByLabel("Title of the card");
  await field.fill("Three");
  await field.press("Enter");
  await field.fill("Four");
  await field.press("Enter");
  await shows(() => titles(bob, "To do"), ["One", "Two", "Three", "Four"]);
  await state(ann).getByText("Saved").waitFor();
  await field.press("Escape");

  await card(bob, "Two").dragTo(card(bob, "One"), { targetPosition: { x: 20, y: 3 } });
  await shows(() => titles(ann, "To do"), ["Two", "One", "Three", "Four"]);
  await card(bob, "One").dragTo(column(bob, "Done").locator(".lane"));
  await shows(() => titles(ann, "Done"), ["One"]);
  await shows(() => titles(ann, "To do"), ["Two", "Three", "Four"]);
  const header = column(bob, "Done").locator("header");
  const place = { sourcePosition: { x: 200, y: 16 }, targetPosition: { x: 10, y: 16 } };
  await header.dragTo(column(bob, "To do").locator("header"), place);
  await shows(() => ann.locator("h2").allInnerTexts(), ["Done", "To do"]);
});

test("pasted lines become a card each, and titles are changed in place", async () => {
  const board = await site.board({ "To do": [] });
  const page = await opened("ann", board);
  await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel("Title of the card").evaluate((field) => {
    const data = new DataTransfer();
    data.setData("text/plain", "Apples\r\n\n  Pears \nPlums");
    field.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
    );
  });
  await shows(() => titles(page, "To do"), ["Apples", "Pears", "Plums"]);
  await page.getByLabel("Title of the card").press("Escape");
  const pears = page.getByRole("link", { name: "Pears" });
  await focus(pears);
  await pears.press("e");
  await page.getByLabel("Title of the card").fill("Quinces");
  await page.getByLabel("Title of the card").press("Enter");
  await shows(() => titles(page, "To do"), ["Apples", "Quinces", "Plums"]);
  await page.getByRole("button", { name: "Rename To do" }).click();
  await page.getByLabel("Title of the column").fill("Fruit");
  await page.getByLabel("Title of the column").press("Enter");
  await column(page, "Fruit").waitFor();
  await state(page).getByText("Saved").waitFor();
  await shows(async () => board.columns()[0]?.title, "Fruit");
});

test("an opened card shows all of it, and what others write meanwhile", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  board.submit({ type: "label.create", label: "bug", name: "Bug", color: "red" });
  const ann = await opened("ann", board);
  await card(ann, "One").click();
  const dialog = ann.getByRole("dialog");
  await dialog.getByRole("button", { name: "Add a description" }).click();
  await dialog.getByLabel("Description").fill("In *Markdown*.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator("em", { hasText: "Markdown" }).waitFor();
  await dialog.getByLabel("Bug").check();
  await dialog.getByLabel("Priority").selectOption("high");
  await dialog.getByLabel("Due").fill("2030-05-06");
  await dialog.getByRole("button", { name: "Add a checklist" }).click();
  for (const item of ["Cut", "Glue"]) {
    await dialog.getByLabel("Add an item").fill(item);
    await dialog.getByLabel("Add an item").press("Enter");
  }
  await dialog.getByLabel("Cut").check();

  const bob = await site.person("bob");
  await bob.goto(`/b/${board.id}/c/One`);
  const his = bob.getByRole("dialog");
  await his.locator("em", { hasText: "Markdown" }).waitFor();
  await his.getByLabel("Write a comment").fill("Looks good.");
  await his.getByRole("button", { name: "Send" }).click();
  await dialog.getByText("Looks good.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
  const tile = card(ann, "One");
  await shows(() => tile.locator(".chip").allInnerTexts(), ["Bug"]);
  for (const text of ["High", "May 6", "1 of 2 done", "1 comment", "has a description"]) {
    await tile.getByText(text).waitFor({ state: "attached" });
  }
  expect(await ann.evaluate(() => document.activeElement?.getAttribute("data-card"))).toBe("One");
});

test("what is written cannot bring scripts, pictures or styles onto the page", async () => {
  const board = await site.board({ "To do": ["One"] });
  const description = [
    "# Heading",
    "[good](https://example.org) [bad](javascript:alert(1)) ![picture](https://example.org/a.png)",
    "<img src=x onerror=alert(1)><script>alert(1)</script><style>* { display: none }</style>",
    "<a href=https://example.org onclick=alert(1) style=position:fixed>raw</a>",
    "<form action=https://example.org><button>send</button></form><input type=password>",
    "- [x] done",
  ].join("\n\n");
  await board.submit({ type: "card.set", card: "One", set: { description } }).live();
  const page = await site.person("ann");
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("dialog", (dialog) => site.errors.push(dialog.message()));
  await page.goto(`/b/${board.id}/c/One`);
  const prose = page.locator(".description .prose");
  await prose.getByRole("heading", { name: "Heading" }).waitFor();
  expect(await prose.locator("img, script, style, form, button, [style], [onclick]").count()).toBe(
    0,
  );
  expect(await prose.locator("input:disabled").count()).toBe(1);
  expect(await prose.locator("input").count()).toBe(1);
  const links = await prose.locator("a[href]").evaluateAll((all) => {
    return all.map((link) => [
      link.textContent,
      link.getAttribute("href"),
      link.getAttribute("rel"),
    ]);
  });
  const rel = "noopener noreferrer nofollow";
  expect(links).toEqual([["good", "https://example.org", rel]]);
  expect(await prose.textContent()).toContain("<img src=x onerror=alert(1)>");
  expect(requests.filter((url) => !url.startsWith(site.url))).toEqual([]);
});

test("when two change a title at once, mine and theirs are shown", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened("ann", board);
  await focus(card(page, "One"));
  await card(page, "One").press("e");
  const field = page.getByLabel("Title of the card");
  await field.fill("Mine");
  await board.submit({ type: "card.set", card: "One", set: { title: "Theirs" } }).live();
  await field.press("Enter");
  const notice = page.locator(".notice");
  await shows(() => notice.locator("dd").allInnerTexts(), ["Mine", "Theirs"]);
  await shows(() => titles(page, "To do"), ["Theirs"]);
  await notice.getByRole("button", { name: "Use mine" }).click();
  await notice.waitFor({ state: "detached" });
  await shows(() => titles(page, "To do"), ["Mine"]);
  await shows(async () => board.get("cards", "One")?.title, "Mine");
});

test("without a network the board stays usable, and a reload loses nothing", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] });
  const page = await opened("ann", board);
  site.door.close();
  await state(page).getByText("Reconnecting in").waitFor();
  await focus(card(page, "One"));
  await card(page, "One").press("Alt+ArrowRight");
  await shows(() => titles(page, "Done"), ["One"]);
  await column(page, "Done").getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel("Title of the card").fill("Two");
  await page.getByLabel("Title of the card").press("Enter");
  await state(page).getByText("2 unsaved changes").waitFor();
  await page.reload();
  await state(page).getByText("2 unsaved changes").waitFor();
  const before = board.version;
  site.door.reopen();
  await state(page).getByText("Saved").waitFor({ timeout: 30_000 });
  await shows(() => titles(page, "Done"), ["One", "Two"]);
  await shows(async () => board.version - before, 2);
});

test("what closed tabs had not saved is sent by the tab that is opened next", async () => {
  const board = await site.board({ "To do": ["One"] });
  const first = await opened("ann", board);
  const second = await first.context().newPage();
  await second.goto(`/b/${board.id}`);
  await state(second).getByText("Live").waitFor();
  site.door.close();
  for (const [page, title] of [
    [first, "Two"],
    [second, "Three"],
  ] as const) {
    await state(page).getByText("Reconnecting in").waitFor();
    await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
    await page.getByLabel("Title of the card").fill(title);
    await page.getByLabel("Title of the card").press("Enter");
    await state(page).getByText("1 unsaved change").waitFor();
  }
  const third = await first.context().newPage();
  await first.close();
  await second.close();
  site.door.reopen();
  await third.goto("/");
  await shows(async () => board.cards("To-do").length, 3);
  const now = board.cards("To-do").map((id) => board.get("cards", id)?.title);
  expect(now.sort()).toEqual(["One", "Three", "Two"]);
});

test("the server is killed and comes back under an open board", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened("ann", board);
  await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  const field = page.getByLabel("Title of the card");
  const added: string[] = ["One"];
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 5; at++) {
      added.push(`${round}.${at}`);
      await field.fill(`${round}.${at}`);
      await field.press("Enter");
    }
    await site.server.killAndRestart();
  }
  await state(page).getByText("Saved").waitFor({ timeout: 30_000 });
  await shows(() => titles(page, "To do"), added);
  await board.ready();
  await shows(async () => board.cards("To-do").length, added.length);
});

test("the keyboard reaches everything, and what it moves is said", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Doing: [], Done: ["Three"] });
  const page = await opened("ann", board);
  const said = () => page.locator("#announcer").textContent();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  const { keyboard } = page;
  for (let tabs = 0; (await focused()) !== "One" && tabs < 20; tabs++) await keyboard.press("Tab");
  await keyboard.press("ArrowDown");
  await shows(focused, "Two");
  await keyboard.press("ArrowRight");
  await shows(focused, "Three");
  await keyboard.press("ArrowLeft");
  await keyboard.press("ArrowUp");
  await shows(focused, "One");
  await keyboard.press("Alt+ArrowDown");
  await shows(() => titles(page, "To do"), ["Two", "One"]);
  await shows(said, "One moved to To do, 2 of 2");
  await keyboard.press("Alt+ArrowRight");
  await shows(() => titles(page, "Doing"), ["One"]);
  await shows(said, "One moved to Doing, 1 of 1");
  await shows(focused, "One");
  await keyboard.press("n");
  await keyboard.type("Four\n");
  await shows(() => titles(page, "Doing"), ["One", "Four"]);
  await keyboard.press("Escape");
  await focus(card(page, "One"));
  await keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("heading", { name: "One" }).waitFor();
  await keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await shows(focused, "One");
  await keyboard.press("c");
  await shows(() => titles(page, "Doing"), ["Four"]);
  await shows(said, "One archived");
  await keyboard.press("?");
  await page.getByRole("dialog").getByText("move the card").waitFor();
  await keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("a viewer sees everything and can change nothing", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] }, { eve: "viewer" });
  const page = await opened("eve", board);
  await card(page, "One").waitFor();
  expect(await page.getByRole("button", { name: /Add/ }).count()).toBe(0);
  await card(page, "One").dragTo(column(page, "Done").locator(".lane"));
  for (const key of ["e", "n", "c", "Alt+ArrowRight"]) await card(page, "One").press(key);
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "One" }).waitFor();
  expect(await dialog.locator("textarea:enabled, input:enabled, select:enabled").count()).toBe(0);
  await dialog.getByRole("button", { name: "Close" }).click();
  await shows(() => titles(page, "To do"), ["One"]);
  expect(board.version).toBe(2);
  board.submit({ type: "member.remove", user: "eve" });
  await page.getByText("There is no such board, or it is not yours").waitFor();
});

test("a filter leaves the cards that fit, also as they change, and the keys go along them", async () => {
  const board = await site.board({ "To do": ["Red apple", "Pear", "Green apple"], Done: ["Plum"] });
  board.submit({ type: "label.create", label: "l", name: "Ripe", color: "red" });
  await board.submit({ type: "card.label", card: "Plum", label: "l", on: true }).live();
  const page = await opened("ann", board);
  await page.keyboard.press("/");
  await page.keyboard.type("APPLE");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await shows(() => titles(page, "Done"), []);
  await column(page, "To do").getByText("2 of 3", { exact: true }).waitFor();
  await board.submit({ type: "card.set", card: "Pear", set: { title: "Pineapple" } }).live();
  await shows(() => titles(page, "To do"), ["Red apple", "Pineapple", "Green apple"]);
  await page.getByRole("searchbox").fill("re apple");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await focus(card(page, "Red apple"));
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  await shows(focused, "Green-apple");
  await page.keyboard.press("Alt+ArrowUp");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple"]);
  await page.getByRole("searchbox").fill("ripe");
  await shows(() => titles(page, "Done"), ["Plum"]);
  await page.getByRole("searchbox").fill("#1");
  await shows(() => titles(page, "To do"), ["Red apple"]);
  await page.getByRole("searchbox").press("Escape");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple", "Pineapple"]);
  await shows(async () => board.cards("To-do"), ["Green-apple", "Red-apple", "Pear"]);
});

test("what is archived comes back, or goes for good", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: ["Three"] });
  const page = await opened("ann", board);
  for (const title of ["One", "Two"]) {
    await focus(card(page, title));
    await card(page, title).press("c");
  }
  await page.getByRole("button", { name: "Archive Done" }).click();
  await column(page, "Done").waitFor({ state: "detached" });
  await shows(() => titles(page, "To do"), []);
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Restore One" }).click();
  await dialog.getByRole("button", { name: "Delete Two" }).click();
  await dialog.getByRole("button", { name: "Restore Done" }).click();
  await dialog.getByText("Nothing is archived").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await shows(() => titles(page, "To do"), ["One"]);
  await shows(() => titles(page, "Done"), ["Three"]);
  await shows(async () => board.get("cards", "Two"), undefined);
});

test("an admin shares the board, changes a role and takes it back", async () => {
  const board = await site.board({ "To do": ["One"] });
  const ann = await opened("ann", board);
  const bob = await site.person("bob");
  await bob.goto(`/b/${board.id}`);
  await bob.getByText("There is no such board, or it is not yours").waitFor();
  await ann.getByRole("button", { name: "Members" }).click();
  const dialog = ann.getByRole("dialog");
  await dialog.getByLabel("User").fill("bob");
  await dialog.getByLabel("Role", { exact: true }).selectOption("viewer");
  await dialog.getByRole("button", { name: "Add" }).click();
  await dialog.getByText("bob", { exact: true }).first().waitFor();
  await shows(async () => board.get("members", "bob")?.role, "viewer");
  await bob.reload();
  await card(bob, "One").waitFor();
  const add = column(bob, "To do").getByRole("button", { name: "Add a card" });
  expect(await add.count()).toBe(0);
  await dialog.getByLabel("Role of bob").selectOption("editor");
  await add.waitFor();
  await dialog.getByRole("button", { name: "Remove bob" }).click();
  await bob.getByText("There is no such board, or it is not yours").waitFor();
  await dialog.getByRole("button", { name: "Remove ann" }).click();
  await dialog.locator(".notice").getByText("Not done").waitFor();
  await dialog.getByRole("button", { name: "Dismiss" }).click();
  await shows(async () => [...board.all("members").keys()], ["ann"]);
});

test("a card that was not opened before can be opened without a network", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened("ann", board);
  await page.waitForLoadState("networkidle");
  await page.context().setOffline(true);
  site.door.close();
  await state(page).getByText("Reconnecting in").waitFor();
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Priority").selectOption("high");
  await state(page).getByText("1 unsaved change").waitFor({ state: "attached" });
  site.door.reopen();
  await page.context().setOffline(false);
  await shows(async () => board.get("cards", "One")?.priority, "high");
});

test("a page in the dark and on a phone", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] });
  const page = await site.person("ann", {
    colorScheme: "dark",
    viewport: { width: 390, height: 800 },
    hasTouch: true,
  });
  await page.goto(`/b/${board.id}`);
  await card(page, "One").waitFor();
  const [red = 255] = await page.evaluate(() => {
    return getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
  });
  expect(red).toBeLessThan(60);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await card(page, "One").tap();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  expect((await dialog.boundingBox())?.width).toBeLessThan(390);
});
