// Everything that a card and a board have besides texts, set in one browser and seen in another.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, opened, shows, state } from "./shown.js";
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

const dialog = (page: Page) => page.getByRole("dialog");
const field = (page: Page, name: string) => dialog(page).getByLabel(name, { exact: true });
const choice = (page: Page, name: string) =>
  dialog(page).getByRole("combobox", { name, exact: true });

test("days and times are those of the browser's time zone, and each sees them in their own", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const page = await site.person("ann", { timezoneId: "Asia/Tokyo", locale: "de-DE" });
  await page.goto(`/b/${board.id}/c/One`);
  await field(page, "Fällig").fill("2030-05-06");
  // The end of a working day, unless another time is chosen.
  const due = () => Promise.resolve(board.get("cards", "One")?.due);
  await shows(due, Date.UTC(2030, 4, 6, 8));
  const time = field(page, "Fällig: Uhrzeit");
  expect(await time.getAttribute("title")).toBe("Zeiten sind die von Asia/Tokyo");
  await time.fill("09:30");
  await shows(due, Date.UTC(2030, 4, 6, 0, 30));
  await card(page, "One").getByText("6. Mai 2030").waitFor();
  await field(page, "Beginn").fill("2030-05-05");
  await shows(async () => board.get("cards", "One")?.start, Date.UTC(2030, 4, 5, 0));
  expect(await violations(page)).toEqual([]);

  const bob = await site.person("bob", { timezoneId: "America/New_York", locale: "en-US" });
  await bob.goto(`/b/${board.id}/c/One`);
  await card(bob, "One").getByText("May 5, 2030").waitFor();
  expect(await field(bob, "Due").inputValue()).toBe("2030-05-05");
  expect(await field(bob, "Due: time").inputValue()).toBe("20:30");
  // What he has not finished typing is not taken, and what she chooses shows when he leaves the field.
  await field(bob, "Due").focus();
  await bob.keyboard.type("12");
  await shows(due, new Date("2030-12-05T20:30:00-05:00").getTime());
  await time.fill("08:00");
  await shows(() => field(bob, "Due: time").inputValue(), "18:00");
  await field(bob, "Due: none").click();
  await shows(due, undefined);
  await shows(() => field(page, "Fällig").inputValue(), "");
  await page.getByLabel("Fällig: Uhrzeit").waitFor({ state: "detached" });
});

test("a board gets labels, sprints and own fields, and its cards the values", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const page = await opened(site, "ann", board);
  await page.getByRole("button", { name: "Settings of the board" }).click();
  const add = async (label: string, name: string) => {
    await field(page, label).fill(name);
    await field(page, label).press("Enter");
  };
  await add("New label", "area/backend");
  await field(page, "Colour of area/backend").selectOption("Green");
  await add("New sprint", "Week 19");
  await dialog(page).locator(".sprint").getByLabel("Start", { exact: true }).fill("2030-05-06");
  for (const [name, kind] of [
    ["Customer", "Text"],
    ["Hours", "Number"],
    ["Billed", "Tick"],
    ["Call back", "Date"],
    ["Size", "One of a list"],
  ] as const) {
    await field(page, "What it holds").selectOption(kind);
    await add("New field", name);
  }
  await field(page, "What Size offers").fill("S, M, L, M");
  await field(page, "What Size offers").press("Enter");
  await field(page, "Background").selectOption("Sky blue");
  await shows(async () => board.head?.background, "sky");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "detached" });
  await page.locator(".page[data-hued]").waitFor();

  await card(page, "One").click();
  await field(page, "Assign somebody").selectOption("bob");
  await dialog(page).getByRole("checkbox", { name: "area/backend" }).check();
  await field(page, "New label").fill("area/web");
  await field(page, "New label").press("Enter");
  await choice(page, "Sprint").selectOption("Week 19");
  await field(page, "Estimate, in points").fill("8");
  await field(page, "Customer").fill("Okonjo");
  await field(page, "Hours").fill("2,5");
  await field(page, "Billed").check();
  await field(page, "Call back").fill("2030-05-07");
  await choice(page, "Size").selectOption("M");
  await field(page, "Cover").selectOption("Purple");
  const names = () => {
    const one = board.get("cards", "One");
    const fields = (one?.fields ?? []).map(({ id, value }) => {
      const own = board.get("fields", id);
      const [said] = Object.values(value);
      const option = own?.options?.find((option) => option.id === said)?.name;
      return [own?.name, option ?? (typeof said === "number" ? typeof said : said)];
    });
    return Promise.resolve({
      fields: fields.sort(([a], [b]) => `${a}`.localeCompare(`${b}`)),
      labels: (one?.labels ?? []).map((id) => board.get("labels", id)?.name).sort(),
      sprint: board.get("sprints", one?.sprint ?? "")?.title,
      rest: [one?.assignees, one?.estimate, one?.cover],
    });
  };
  await shows(names, {
    fields: [
      ["Billed", true],
      ["Call back", "number"],
      ["Customer", "Okonjo"],
      ["Hours", "2.5"],
      ["Size", "M"],
    ],
    labels: ["area/backend", "area/web"],
    sprint: "Week 19",
    rest: [["bob"], 8, "purple"],
  });
  expect(await violations(page)).toEqual([]);
  await field(page, "Take bob off it").click();
  await shows(async () => board.get("cards", "One")?.assignees ?? [], []);
  await field(page, "Estimate, in points").fill("many");
  await field(page, "Estimate, in points").press("Tab");
  await shows(() => field(page, "Estimate, in points").inputValue(), "8");
  await page.keyboard.press("Escape");
  await card(page, "One").locator(".cover").waitFor();
  await shows(
    async () => (await card(page, "One").locator(".chip").allInnerTexts()).sort(),
    ["area/backend", "area/web"],
  );
});

test("a comment is changed and deleted by its author, and names who is meant", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  await board.submit({ type: "member.add", user: "bob", name: "Bob Ray", role: "editor" }).saved();
  const page = await opened(site, "bob", board);
  await board
    .submit({ type: "comment.create", card: "One", comment: "hers", text: "Mine." })
    .live();
  await card(page, "One").click();
  const write = dialog(page).getByLabel("Write a comment");
  await write.pressSequentially("Ask @ra");
  const offers = dialog(page).getByRole("listbox", { name: "Members of the board" });
  await offers.getByRole("option", { name: "Bob Ray" }).waitFor();
  expect(await violations(page)).toEqual([]);
  await write.press("Enter");
  await write.pressSequentially("today");
  expect(await write.inputValue()).toBe("Ask @bob today");
  await write.press("Control+Enter");
  const said = dialog(page).locator(".comments li");
  await said.locator("strong", { hasText: "@Bob Ray" }).waitFor();
  // Hers is not his to change.
  expect(await dialog(page).getByRole("button", { name: "Change the comment" }).count()).toBe(1);
  await dialog(page).getByRole("button", { name: "Change the comment" }).click();
  await dialog(page).getByLabel("Text of the comment").fill("Ask a@bob.org");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await said.getByText("changed", { exact: true }).waitFor();
  expect(await said.locator("strong", { hasText: "@" }).count()).toBe(0);
  await dialog(page).getByRole("button", { name: "Delete the comment of Bob Ray" }).click();
  await shows(() => said.count(), 1);
  await shows(async () => board.get("cards", "One")?.detail?.comments, 1);
});

test("a checklist is renamed, and its items are changed, moved and deleted", async () => {
  const board = await site.board({ "To do": ["One"] });
  board.submit({ type: "checklist.create", card: "One", checklist: "c", title: "Steps" });
  for (const item of ["Cut", "Glue", "Paint"])
    board.submit({ type: "item.create", card: "One", checklist: "c", item, text: item });
  const page = await opened(site, "ann", board);
  await card(page, "One").click();
  const items = () => dialog(page).locator(".checklist li .check").allInnerTexts();
  await shows(items, ["Cut", "Glue", "Paint"]);
  const tick = dialog(page).getByRole("checkbox", { name: "Cut" });
  await tick.focus();
  await tick.press("Alt+ArrowDown");
  await shows(items, ["Glue", "Cut", "Paint"]);
  expect(await page.locator("#announcer").textContent()).toBe("Cut moved, 2 of 3");
  await tick.press("Alt+ArrowDown");
  await shows(items, ["Glue", "Paint", "Cut"]);
  await dialog(page).getByRole("button", { name: "Change Paint" }).click();
  await dialog(page).getByLabel("Text of the item").fill("Varnish");
  await dialog(page).getByLabel("Text of the item").press("Enter");
  await dialog(page).getByRole("button", { name: "Delete Glue" }).click();
  await shows(items, ["Varnish", "Cut"]);
  await dialog(page).getByRole("button", { name: "Steps", exact: true }).click();
  await dialog(page).getByLabel("Title of the checklist").fill("Work");
  await dialog(page).getByLabel("Title of the checklist").press("Enter");
  await dialog(page).getByRole("heading", { name: "Work" }).waitFor();
  await shows(() => page.evaluate(() => document.activeElement?.textContent), "Work");
  await state(page).getByText("Saved", { exact: true }).waitFor();
  const [list] = board.get("cards", "One")?.checklists ?? [];
  expect([list?.title, list?.items?.length]).toEqual(["Work", 2]);
});

test("a description is looked at before it is saved, and the link of a card is copied", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await site.person("ann", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(`/b/${board.id}/c/One`);
  await dialog(page).getByRole("button", { name: "Add a description" }).click();
  await dialog(page).getByLabel("Description").fill("In *Markdown*");
  await dialog(page).getByRole("button", { name: "Preview" }).click();
  await dialog(page).locator("em", { hasText: "Markdown" }).waitFor();
  expect(board.get("cards", "One")?.detail?.described).toBeFalsy();
  await dialog(page).getByRole("button", { name: "Write" }).click();
  await dialog(page).getByLabel("Description").press("End");
  await dialog(page).getByLabel("Description").pressSequentially("!");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await dialog(page).getByText("In Markdown!").waitFor();
  await dialog(page).getByRole("button", { name: "Copy the link to this card" }).click();
  await page.locator(".word").getByText("The link is copied").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toBe(`${site.url}/b/${board.id}/c/One`);
});

test("cards are shown smaller or larger, for oneself", async () => {
  const board = await site.board({ "To do": ["One", "Two"] });
  await board.submit({ type: "card.set", card: "One", set: { due: 1, cover: "red" } }).saved();
  const page = await opened(site, "ann", board);
  const height = async () => (await card(page, "One").boundingBox())?.height ?? 0;
  const normal = await height();
  const choose = async (words: string) => {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Boards, cards and actions" }).fill(words);
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
  };
  await choose("small cards");
  await expect.poll(height).toBeLessThan(normal);
  await page.reload();
  await card(page, "One").waitFor();
  await expect.poll(height).toBeLessThan(normal);
  // The next card stands right below it.
  const [one, two] = [await card(page, "One").boundingBox(), await card(page, "Two").boundingBox()];
  expect(Math.round((two?.y ?? 0) - (one?.y ?? 0) - (one?.height ?? 0))).toBeLessThan(12);
  await choose("large cards");
  await expect.poll(height).toBeGreaterThan(normal);
  expect(await violations(page)).toEqual([]);
});
