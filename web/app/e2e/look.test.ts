// How a board is looked at, and who else looks at it.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

test("a column takes no more cards than its limit, and says so", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Doing: ["Three"] });
  const page = await opened(site, "ann", board);
  await column(page, "Doing").getByRole("button", { name: "Menu of Doing" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Limit of cards in work").fill("1");
  await dialog.getByLabel("Take no card above the limit").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await shows(async () => board.get("columns", "Doing")?.wip, { limit: 1, kind: "hard" });
  await column(page, "Doing").locator(".count.full").getByText("1 of 1").waitFor();
  await column(page, "Doing")
    .getByText("1 card in Doing, at most 1")
    .waitFor({ state: "attached" });
  await card(page, "One").dragTo(column(page, "Doing").locator(".lane"));
  await page.locator(".notice").getByText("takes at most 1 open cards and has 1").waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await shows(() => titles(page, "To do"), ["One", "Two"]);
  await column(page, "Doing").getByRole("button", { name: "Menu of Doing" }).click();
  await dialog.getByLabel("Limit of cards in work").fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await shows(async () => board.get("columns", "Doing")?.wip ?? null, null);
  await card(page, "One").dragTo(column(page, "Doing").locator(".lane"));
  await shows(async () => (await titles(page, "Doing")).sort(), ["One", "Three"]);
});

test("a column is collapsed for oneself, and stays so", async () => {
  const board = await site.board({ "To do": ["One"], Done: ["Two"] });
  const page = await opened(site, "ann", board);
  await column(page, "Done").getByRole("button", { name: "Menu of Done" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Collapse" }).click();
  await card(page, "Two").waitFor({ state: "detached" });
  await page.reload();
  const strip = column(page, "Done");
  await strip.getByText("1 card in Done").waitFor({ state: "attached" });
  expect((await strip.boundingBox())?.width).toBeLessThan(60);
  await card(page, "One").dragTo(strip);
  await strip.getByText("2 cards in Done").waitFor({ state: "attached" });
  const before = board.version;
  await strip.getByRole("button", { name: "Expand Done" }).press("Enter");
  await shows(() => titles(page, "Done"), ["Two", "One"]);
  expect(board.version).toBe(before);
});

test("swimlanes stand by priority, label or person, and a drag between them changes the card", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: ["Three"] }, { bob: "editor" });
  board.submit({ type: "label.create", label: "l", name: "Bug", color: "red" });
  board.submit({ type: "card.set", card: "One", set: { priority: "high" } });
  board.submit({ type: "card.label", card: "Two", label: "l", on: true });
  await board.submit({ type: "card.assign", card: "Three", user: "bob", on: true }).live();
  const page = await opened(site, "ann", board);
  const group = page.getByLabel("Group by");
  const cell = (name: string) => page.getByRole("list", { name });
  const inCell = (name: string) => () => cell(name).locator(".card .title").allInnerTexts();
  await group.selectOption("priority");
  await shows(inCell("To do, High"), ["One"]);
  await shows(inCell("To do, No priority"), ["Two"]);
  const before = board.version;
  await card(page, "Two").dragTo(cell("Done, High"));
  await shows(inCell("Done, High"), ["Two"]);
  await shows(
    async () => [board.get("cards", "Two")?.priority, board.get("cards", "Two")?.column],
    ["high", "Done"],
  );
  expect(board.version - before).toBe(1);
  await page.keyboard.press("Control+z");
  await shows(inCell("To do, No priority"), ["Two"]);

  await group.selectOption("label");
  await shows(inCell("To do, Bug"), ["Two"]);
  await card(page, "One").dragTo(cell("To do, Bug"));
  await shows(async () => board.get("cards", "One")?.labels, ["l"]);
  await group.selectOption("assignee");
  await shows(inCell("Done, bob"), ["Three"]);
  await card(page, "Three").dragTo(cell("Done, Nobody"));
  await shows(async () => board.get("cards", "Three")?.assignees ?? [], []);
  await page.reload();
  await shows(inCell("Done, Nobody"), ["Three"]);

  // With the keyboard, along the cards of a column and to the one beside it.
  await card(page, "Three").focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await shows(async () => board.cards("To-do").length, 3);
  const fold = page.getByRole("button", { name: "Nobody" });
  await fold.press("Enter");
  expect(await fold.getAttribute("aria-expanded")).toBe("false");
  await shows(() => page.locator(".swimlane .card").count(), 0);
});

test("one sees who has a card open, who writes, and what is being dragged where", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: [] }, { bob: "editor" });
  const ann = await opened(site, "ann", board);
  const bob = await opened(site, "bob", board);
  await card(bob, "One").click();
  const dialog = bob.getByRole("dialog");
  await card(ann, "One").getByText("bob has this card open").waitFor({ state: "attached" });
  await dialog.getByLabel("Write a comment").focus();
  await card(ann, "One").getByText("bob is writing").waitFor({ state: "attached" });
  await card(ann, "One").click();
  const hers = ann.getByRole("dialog");
  await hers.getByRole("status").getByText("bob is writing").first().waitFor();
  await bob.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await shows(() => hers.locator(".other").count(), 0);
  await ann.keyboard.press("Escape");
  await hers.waitFor({ state: "detached" });

  const from = await card(bob, "Two").boundingBox();
  const to = await column(bob, "Done").locator(".lane").boundingBox();
  if (!from || !to) throw new Error("they are not in view");
  await bob.mouse.move(from.x + 20, from.y + 10);
  await bob.mouse.down();
  await bob.mouse.move(from.x + 40, from.y + 20, { steps: 4 });
  await bob.mouse.move(to.x + 50, to.y + 10, { steps: 8 });
  const ghost = column(ann, "Done").locator(".ghost");
  await ghost.getByText("Two").waitFor();
  await ghost.getByText("bob is moving this").waitFor();
  await card(ann, "Two").getByText("bob is moving this card").waitFor({ state: "attached" });
  await bob.mouse.up();
  await ghost.waitFor({ state: "detached" });
  await shows(() => titles(ann, "Done"), ["Two"]);
  await state(bob).getByText("Saved", { exact: true }).waitFor();
});
