// Journeys through the page in a real browser, against the real server.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  site.door.reopen();
  expect(await site.closePages()).toEqual([]);
});

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
  await state(page).getByText("Saved", { exact: true }).waitFor();
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
  const ann = await opened(site, "ann", board);
  const bob = await opened(site, "bob", board);
  await ann.locator(".people").getByText("bob").waitFor({ state: "attached" });
  await column(ann, "To do").getByRole("button", { name: "Add a card" }).click();
  const field = ann.getByLabel("Title of the card");
  await field.fill("Three");
  await field.press("Enter");
  await field.fill("Four");
  await field.press("Enter");
  await shows(() => titles(bob, "To do"), ["One", "Two", "Three", "Four"]);
  await state(ann).getByText("Saved", { exact: true }).waitFor();
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

test("an opened card shows all of it, and what others write meanwhile", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  board.submit({ type: "label.create", label: "bug", name: "Bug", color: "red" });
  const ann = await opened(site, "ann", board);
  await card(ann, "One").click();
  const dialog = ann.getByRole("dialog");
  await dialog.getByRole("button", { name: "Add a description" }).click();
  await dialog.getByLabel("Description").fill("In *Markdown*.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator("em", { hasText: "Markdown" }).waitFor();
  await dialog.getByLabel("Bug").check();
  await dialog.getByLabel("Priority").selectOption("high");
  await dialog.getByLabel("Due", { exact: true }).fill("2030-05-06");
  await dialog.getByRole("button", { name: "Add a checklist" }).click();
  for (const item of ["Cut", "Glue"]) {
    await dialog.getByLabel("Add an item").fill(item);
    await dialog.getByLabel("Add an item").press("Enter");
  }
  await dialog.getByRole("checkbox", { name: "Cut" }).check();

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

test("when two change a title at once, mine and theirs are shown", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  await card(page, "One").focus();
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
  const page = await opened(site, "ann", board);
  await site.keepPage(page);
  site.door.close();
  await state(page).getByText("Reconnecting in").waitFor();
  await card(page, "One").focus();
  await card(page, "One").press("Alt+ArrowRight");
  await shows(() => titles(page, "Done"), ["One"]);
  await column(page, "Done").getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel("Title of the card").fill("Two");
  await page.getByLabel("Title of the card").press("Enter");
  await state(page).getByText("2 unsaved changes").waitFor();
  await page.reload();
  await state(page).getByText("2 unsaved changes").waitFor();
  // The board is there, as it was kept, with what is not saved; and goes on being worked on.
  await page.getByText("This is the board as of").waitFor();
  await shows(() => titles(page, "Done"), ["One", "Two"]);
  await card(page, "One").focus();
  await card(page, "One").press("e");
  await page.getByLabel("Title of the card").fill("First");
  await page.getByLabel("Title of the card").press("Enter");
  await state(page).getByText("3 unsaved changes").waitFor();
  const before = board.version;
  site.door.reopen();
  await state(page).getByText("Saved", { exact: true }).waitFor({ timeout: 30_000 });
  await shows(() => titles(page, "Done"), ["First", "Two"]);
  await page.getByText("This is the board as of").waitFor({ state: "detached" });
  await shows(async () => board.version - before, 3);
});

test("who signs out leaves nothing of the boards behind", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  const kept = () =>
    page.evaluate(async () => {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open("boardcast");
        opening.onsuccess = () => resolve(opening.result);
      });
      const rows = db.transaction("views").objectStore("views").count();
      return new Promise((resolve) => {
        rows.onsuccess = () => resolve(rows.result);
      });
    });
  await shows(kept, 1);
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await shows(kept, 0);
});

test("what closed tabs had not saved is sent by the tab that is opened next", async () => {
  const board = await site.board({ "To do": ["One"] });
  const first = await opened(site, "ann", board);
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
  const page = await opened(site, "ann", board);
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
  await state(page).getByText("Saved", { exact: true }).waitFor({ timeout: 30_000 });
  await shows(() => titles(page, "To do"), added);
  await board.ready();
  await shows(async () => board.cards("To-do").length, added.length);
});

test("what is done while the server is down comes through once when it is back", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: [] });
  const page = await opened(site, "ann", board);
  const before = board.version;
  await site.server.kill();
  await state(page).getByText("Reconnecting in").waitFor();
  await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  const field = page.getByLabel("Title of the card");
  for (const title of ["Three", "Four"]) {
    await field.fill(title);
    await field.press("Enter");
  }
  await field.press("Escape");
  await card(page, "One").focus();
  await page.keyboard.press("Alt+ArrowRight");
  await card(page, "Two").focus();
  await page.keyboard.press("c");
  await shows(() => titles(page, "To do"), ["Three", "Four"]);
  await state(page).getByText("4 unsaved changes").waitFor();
  await site.server.startAgain();
  await state(page).getByText("Saved", { exact: true }).waitFor({ timeout: 30_000 });
  await shows(() => titles(page, "To do"), ["Three", "Four"]);
  await shows(() => titles(page, "Done"), ["One"]);
  await shows(async () => board.version - before, 4);
  await shows(
    async () => board.cards("To-do").map((id) => board.get("cards", id)?.title),
    ["Three", "Four"],
  );
  expect(board.get("cards", "Two")?.archived).toBe(true);
});

test("the keyboard reaches everything, and what it moves is said", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Doing: [], Done: ["Three"] });
  const page = await opened(site, "ann", board);
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
  await card(page, "One").focus();
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

test("a card that was not opened before can be opened without a network", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  await page.waitForLoadState("networkidle");
  await page.context().setOffline(true);
  site.door.close();
  await state(page).getByText("Offline").waitFor();
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Priority").selectOption("high");
  await state(page).getByText("1 unsaved change").waitFor({ state: "attached" });
  site.door.reopen();
  await page.context().setOffline(false);
  await shows(async () => board.get("cards", "One")?.priority, "high");
});
