// What stands beside the text of a card: its history, its links to others, and what has changed.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, opened, shows, state, titles } from "./shown.js";
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

const dialog = (page: Page) => page.getByRole("dialog");
const entries = (page: Page) => dialog(page).locator(".activity li");

test("a card tells what has happened to it, the newest first, back to the beginning", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: [] }, { bob: "editor" });
  const set = (set: object) => board.submit({ type: "card.set", card: "One", set });
  for (let at = 0; at < 40; at++) set({ title: `Title ${at}` });
  board.submit({ type: "label.create", label: "l", name: "Bug", color: "red" });
  board.submit({ type: "card.label", card: "One", label: "l", on: true });
  board.submit({ type: "card.assign", card: "One", user: "bob", on: true });
  board.submit({ type: "checklist.create", card: "One", checklist: "c", title: "Steps" });
  board.submit({ type: "item.create", card: "One", checklist: "c", item: "i", text: "Cut" });
  board.submit({ type: "item.set", card: "One", checklist: "c", item: "i", done: true });
  board.submit({ type: "comment.create", card: "One", comment: "m", text: "Good." });
  set({ description: "Text", priority: "high" });
  await board.submit({ type: "card.move", card: "One", column: "Done", place: {} }).saved();
  const page = await opened(site, "bob", board);
  await card(page, "One").click();
  await dialog(page).getByRole("button", { name: "Activity" }).click();
  await shows(() => entries(page).count(), 30);
  const texts = async () => {
    const all = await entries(page).locator("span:not(.avatar, .avatar span)").allInnerTexts();
    return all.map((text) => text.replace(/ \w{3} \d+, \d{4}.*| \d+ \w+ \d{4}.*/, ""));
  };
  expect((await texts()).slice(0, 10)).toEqual([
    "ann moved it from To do to Done",
    "ann set its priority: High, changed the description",
    "ann wrote a comment",
    "ann ticked “Cut” off",
    "ann added “Cut”",
    "ann added the checklist Steps",
    "ann assigned bob",
    "ann put Bug on it",
    "ann called it “Title 39”",
    "ann called it “Title 38”",
  ]);
  await dialog(page).getByRole("button", { name: "Show older" }).click();
  await shows(() => entries(page).count(), 49);
  expect((await texts()).at(-1)).toBe("ann made the card");
  await shows(() => dialog(page).getByRole("button", { name: "Show older" }).count(), 0);

  // What happens now comes as soon as it is on the disk, on top.
  await dialog(page).getByLabel("Priority").selectOption("low");
  await entries(page).first().getByText("set its priority: Low").waitFor();
  await shows(() => entries(page).count(), 50);
  expect(await violations(page)).toEqual([]);
});

test("a card is blocked by others and part of one, chosen with the keyboard", async () => {
  const board = await site.board({ "To do": ["Dig", "Sow", "Garden"], Done: ["Reap"] });
  const page = await opened(site, "ann", board);
  await card(page, "Sow").click();
  const first = dialog(page).getByRole("combobox", { name: "Add a card to wait for" });
  await first.fill("i");
  await shows(() => dialog(page).locator(".picker").getByRole("option").count(), 1);
  // It does not block itself.
  await first.fill("sow");
  await shows(() => dialog(page).locator(".picker").getByRole("option").count(), 0);
  await first.fill("dig");
  await dialog(page).getByRole("option", { name: "Dig #1" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await first.press("Enter");
  await shows(async () => board.get("cards", "Sow")?.blocked_by ?? [], ["Dig"]);
  await first.fill("#4");
  await first.press("Enter");
  await shows(async () => board.get("cards", "Sow")?.blocked_by ?? [], ["Dig", "Reap"]);
  await dialog(page).getByRole("button", { name: "Reap does not block it" }).click();
  await shows(async () => board.get("cards", "Sow")?.blocked_by ?? [], ["Dig"]);
  const parent = dialog(page).getByRole("combobox", { name: "Choose a parent card" });
  await parent.fill("gar");
  await parent.press("Enter");
  await shows(async () => board.get("cards", "Sow")?.parent, "Garden");
  // Through the link to the other one, which cannot wait for it in turn.
  await dialog(page).getByRole("link", { name: "Dig #1" }).click();
  await dialog(page).getByRole("heading", { name: "Dig" }).waitFor();
  await first.fill("sow");
  await first.press("Enter");
  await dialog(page).locator(".notice").getByText("Not done").waitFor();
  await shows(async () => board.get("cards", "Dig")?.blocked_by ?? [], []);
});

test("swimlanes stand by the card that others are a part of, and a drag changes it", async () => {
  const board = await site.board({ "To do": ["House", "Wall", "Tree"], Done: [] });
  await board.submit({ type: "card.set", card: "Wall", set: { parent: "House" } }).saved();
  const page = await opened(site, "ann", board);
  await page.getByLabel("Group by").selectOption("parent");
  const cell = (name: string) => page.getByRole("list", { name });
  const inCell = (name: string) => () => cell(name).locator(".card .title").allInnerTexts();
  await shows(inCell("To do, House"), ["Wall"]);
  await shows(inCell("To do, No parent card"), ["House", "Tree"]);
  await card(page, "Tree").dragTo(cell("Done, House"));
  await shows(inCell("Done, House"), ["Tree"]);
  await shows(async () => board.get("cards", "Tree")?.parent, "House");
  await card(page, "Wall").dragTo(cell("To do, No parent card"));
  await shows(async () => board.get("cards", "Wall")?.parent ?? null, null);
});

test("cards that others have changed since one looked are marked until one looks", async () => {
  const board = await site.board({ "To do": ["One", "Two", "Three"], Done: [] }, { bob: "editor" });
  const page = await opened(site, "bob", board);
  const marked = () =>
    page
      .locator(".card:has(.fresh)")
      .evaluateAll((all) => all.map((one) => one.getAttribute("data-card")).sort());
  await shows(marked, []);
  // What comes while one looks is not marked.
  await board.submit({ type: "card.set", card: "Three", set: { title: "Third" } }).live();
  await shows(() => titles(page, "To do"), ["One", "Two", "Third"]);
  expect(await marked()).toEqual([]);
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("link", { name: "Release 1" }).first().waitFor();
  board.submit({ type: "card.set", card: "One", set: { title: "First" } });
  board.submit({ type: "comment.create", card: "Two", comment: "m", text: "Look." });
  await board.submit({ type: "card.create", card: "new", column: "Done", title: "New" }).saved();
  await page.goto(`/b/${board.id}`);
  await state(page).getByText("Live").waitFor();
  await shows(marked, ["One", "Two", "new"]);
  await card(page, "One").getByText("changed since you looked").waitFor({ state: "attached" });
  expect(await violations(page)).toEqual([]);
  await card(page, "Two").click();
  await dialog(page).getByText("Look.").waitFor();
  await page.keyboard.press("Escape");
  await shows(marked, ["One", "new"]);
  await page.getByRole("button", { name: "2 changed" }).click();
  await shows(marked, []);
  // One's own changes are none, and what was seen stays seen.
  await card(page, "One").focus();
  await page.keyboard.press("Alt+ArrowRight");
  await state(page).getByText("Saved", { exact: true }).waitFor();
  await page.reload();
  await state(page).getByText("Live").waitFor();
  await shows(() => titles(page, "Done"), ["First", "New"]);
  expect(await marked()).toEqual([]);
});
