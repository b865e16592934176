// Doing much at once, taking it back, and finding things.
import type { Page } from "playwright-core";
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

const told = (page: Page) => page.locator(".word");
const bar = (page: Page) => page.getByRole("toolbar", { name: "Selected cards" });

test("one takes back what one has done, with keys and buttons, and does it again", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: [] }, { bob: "editor" });
  const page = await opened(site, "bob", board);
  const undo = page.getByRole("button", { name: "Undo" });
  expect(await undo.isDisabled()).toBe(true);
  await card(page, "One").focus();
  await page.keyboard.press("Alt+ArrowRight");
  await shows(() => titles(page, "Done"), ["One"]);
  await page.keyboard.press("c");
  await shows(() => titles(page, "Done"), []);
  await page.keyboard.press("Control+z");
  await told(page).getByText("Undone: archiving of a card “One”").waitFor();
  await shows(() => titles(page, "Done"), ["One"]);
  await undo.click();
  await told(page).getByText("Undone: move of a card “One”").waitFor();
  await shows(() => titles(page, "To do"), ["One", "Two"]);
  await page.keyboard.press("Control+Shift+z");
  await told(page).getByText("Done again: move of a card “One”").waitFor();
  await shows(() => titles(page, "Done"), ["One"]);
  await page.getByRole("button", { name: "Do it again" }).click();
  await shows(() => titles(page, "Done"), []);
  await page.keyboard.press("Control+Shift+z");
  await told(page).getByText("There is nothing to do again.").waitFor();
  await shows(async () => board.get("cards", "One")?.archived, true);
});

test("what somebody has changed since is not taken back, and both are shown", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const page = await opened(site, "bob", board);
  await card(page, "One").focus();
  await page.keyboard.press("e");
  await page.getByLabel("Title of the card").fill("Mine");
  await page.keyboard.press("Enter");
  await state(page).getByText("Saved", { exact: true }).waitFor();
  await board.submit({ type: "card.set", card: "One", set: { title: "Theirs" } }).live();
  await shows(() => titles(page, "To do"), ["Theirs"]);
  await page.keyboard.press("Control+z");
  const notice = page.locator(".notice");
  await notice.getByText("Not undone: the title of card #1 was changed meanwhile").waitFor();
  await shows(() => notice.locator("dd").allInnerTexts(), ["One", "Theirs"]);
  expect(await notice.getByRole("button", { name: "Use mine" }).count()).toBe(0);
  await notice.getByRole("button", { name: "Dismiss" }).click();
  await notice.waitFor({ state: "detached" });
  await shows(() => titles(page, "To do"), ["Theirs"]);
});

test("without a network the undo waits and is done once", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  await card(page, "One").focus();
  await page.keyboard.press("c");
  await state(page).getByText("Saved", { exact: true }).waitFor();
  const before = board.version;
  site.door.close();
  await state(page).getByText("Reconnecting in").waitFor();
  await page.keyboard.press("Control+z");
  await told(page).getByText("as soon as the server can be reached").waitFor();
  site.door.reopen();
  await page
    .getByRole("button", { name: "Now" })
    .click({ timeout: 2_000 })
    .catch(() => {});
  await shows(() => titles(page, "To do"), ["One"]);
  await shows(async () => board.version - before, 1);
});

test("many cards are selected, and moved, labelled, assigned and archived as one", async () => {
  const titlesOf = ["A", "B", "C", "D", "E"];
  const board = await site.board({ "To do": titlesOf, Done: ["X"] });
  await board.submit({ type: "label.create", label: "l", name: "Bug", color: "red" }).live();
  const page = await opened(site, "ann", board);
  await card(page, "A").click({ modifiers: ["Control"] });
  await card(page, "C").click({ modifiers: ["Shift"] });
  await bar(page).getByText("3 cards selected").waitFor();
  await card(page, "B").click({ modifiers: ["Control"] });
  await bar(page).getByText("2 cards selected").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(0);
  const before = board.version;
  await bar(page).getByLabel("Label").selectOption({ label: "Bug" });
  await bar(page).getByLabel("Assign").selectOption({ label: "ann" });
  await bar(page).getByLabel("Move to").selectOption({ label: "Done" });
  await shows(() => titles(page, "Done"), ["X", "A", "C"]);
  await shows(async () => board.version - before, 3);
  for (const id of ["A", "C"]) {
    expect(board.get("cards", id)).toMatchObject({ labels: ["l"], assignees: ["ann"] });
  }
  await bar(page).getByRole("button", { name: "Archive" }).click();
  await bar(page).waitFor({ state: "detached" });
  await shows(() => titles(page, "Done"), ["X"]);
  await page.keyboard.press("Control+z");
  await shows(() => titles(page, "Done"), ["X", "A", "C"]);

  // With the keyboard alone.
  await card(page, "B").focus();
  await page.keyboard.press("x");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+X");
  await bar(page).getByText("3 cards selected").waitFor();
  expect(await page.locator("#announcer").textContent()).toBe("3 cards selected");
  await page.keyboard.press("Escape");
  await bar(page).waitFor({ state: "detached" });
});

test("the palette finds boards, cards and actions", async () => {
  const other = await site.board({ Rest: [] });
  await other.submit({ type: "board.set", title: "Garden" }).saved();
  const board = await site.board({ "To do": ["Buy seeds", "Dig"], Done: [] });
  const page = await opened(site, "ann", board);
  const field = page.getByRole("combobox", { name: "Boards, cards and actions" });
  const first = page.getByRole("dialog").getByRole("option").first();
  await page.keyboard.press("Control+k");
  await field.fill("seed");
  await first.getByText("Buy seeds #1").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("heading", { name: "Buy seeds" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Search and commands" }).click();
  await field.fill("memb");
  await first.click();
  await page.getByRole("dialog").getByRole("heading", { name: "Members" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await page.keyboard.press("Control+k");
  await field.fill("nothing like this");
  await first.getByText("Search all boards for “nothing like this”").waitFor();
  await field.fill("gard");
  await first.getByText("Garden").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await column(page, "Rest").waitFor();
  expect(page.url()).toContain(other.id);
});
