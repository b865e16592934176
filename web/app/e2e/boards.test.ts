// New boards: from templates, and from files of this program and of others.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { realExport } from "./shared.js";
import { column, shows, state } from "./shown.js";
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
const heads = (page: Page) => page.getByRole("region").locator("h2").allInnerTexts();

/** A list of boards in which the dialog for files is open. */
async function importing(user: string, options = {}): Promise<Page> {
  const page = await site.person(user, options);
  await page.goto("/");
  await page.getByRole("button", { name: "Import" }).click();
  await dialog(page).waitFor();
  return page;
}

const choose = (page: Page, name: string, text: string) =>
  dialog(page)
    .getByLabel("File")
    .setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });

/** An id as Trello makes them. */
const id = (n: number) => `5a1532fe${n.toString(16).padStart(16, "0")}`;
const TRELLO = {
  id: id(1),
  name: "Garden",
  closed: false,
  lists: [
    { id: id(2), name: "Soon", pos: 1, closed: false },
    { id: id(3), name: "Old", pos: 2, closed: true },
  ],
  cards: [
    { id: id(4), name: "Buy seeds", idList: id(2), pos: 1, idLabels: [id(99)] },
    { id: id(5), name: "Dig", idList: id(2), pos: 2, closed: true },
  ],
};

test("an export of Trello becomes a board, and what was left out is told", async () => {
  const page = await importing("ann");
  await choose(page, "garden.json", JSON.stringify(TRELLO));
  await dialog(page).getByText("The board is here.").waitFor();
  const report = dialog(page).locator(".report");
  await report.getByText("1, and 1 archived").first().waitFor();
  await dialog(page).getByText("1 × label on a card: ").waitFor();
  expect(await violations(page)).toEqual([]);
  await dialog(page).getByRole("link", { name: "Open the board" }).click();
  await column(page, "Soon").getByText("Buy seeds").waitFor();
  await state(page).getByText("Live").waitFor();
  await page.getByRole("link", { name: "Boards" }).click();
  await page.getByRole("link", { name: /^Garden/ }).waitFor();
  // The same file again.
  await page.getByRole("button", { name: "Import" }).click();
  await choose(page, "garden.json", JSON.stringify(TRELLO));
  await dialog(page).getByText("The board was up to date already.").waitFor();
});

type Real = {
  lists: { id: string; name: string; pos: number; closed: boolean }[];
  cards: { name: string; idList: string; closed: boolean; idChecklists: string[] }[];
};
const REAL = realExport("trello-amirite.json");

test.skipIf(!REAL)("a real board of Trello comes with all its columns and cards", async () => {
  // What has to come is counted here, and not by the reader of the server.
  const real = JSON.parse(REAL ?? "") as Real;
  const lists = real.lists.filter((list) => !list.closed).sort((a, b) => a.pos - b.pos);
  const open = real.cards.filter((card) => !card.closed);
  const page = await importing("ann", { viewport: { width: 2_400, height: 1_000 } });
  await choose(page, "real.json", REAL ?? "");
  await dialog(page).getByText("The board is here.").waitFor();
  const counted = `${open.length}, and ${real.cards.length - open.length} archived`;
  await dialog(page).locator(".report").getByText(counted, { exact: true }).waitFor();
  await dialog(page).getByRole("link", { name: "Open the board" }).click();
  await state(page).getByText("Live").waitFor();
  await shows(
    () => heads(page),
    lists.map(({ name }) => name),
  );
  const counts = () => page.locator(".column .count > [aria-hidden]").allInnerTexts();
  await shows(
    counts,
    lists.map(({ id }) => `${open.filter(({ idList }) => idList === id).length}`),
  );
  const listed = open.find(({ idChecklists }) => idChecklists.length > 0);
  if (!listed) throw new Error("no card of the export has a checklist");
  await page.keyboard.press("Control+k");
  await dialog(page).getByRole("combobox").fill(listed.name);
  await page.keyboard.press("Enter");
  await dialog(page).getByRole("heading", { name: listed.name, exact: true }).waitFor();
  await shows(() => dialog(page).locator(".checklist").count(), listed.idChecklists.length);
  expect(await violations(page)).toEqual([]);
});

test("an export of this program comes back as it was, and a file that is none is refused", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] });
  const headers = { authorization: `Bearer ${site.server.token("ann")}` };
  const path = `${site.server.url}/api/v1/boards/${board.id}/export`;
  const text = await (await fetch(path, { headers })).text();
  const page = await importing("ann");
  await choose(page, "notes.json", '{"notes": []}');
  await dialog(page).getByRole("alert").getByText(/\S/).waitFor();
  await choose(page, "board.json", text);
  await dialog(page).getByText("The board was up to date already.").waitFor();
  const other = JSON.stringify({ ...JSON.parse(text), id: "another-board", title: "Another" });
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Import" }).click();
  await choose(page, "board.json", other);
  await dialog(page).getByText("The board is here.").waitFor();
  await dialog(page).getByText("Nothing was left out.").waitFor();
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: /^Another/ }).click();
  await shows(() => heads(page), ["To do", "Done"]);
});

test("how much of a file has gone is told, and it can be given up", async () => {
  const page = await importing("ann");
  const release: (() => void)[] = [];
  await page.route("**/api/v1/import?*", async (route) => {
    await new Promise<void>((resolve) => release.push(resolve));
    await route.abort().catch(() => {});
  });
  await choose(page, "garden.json", JSON.stringify(TRELLO));
  await dialog(page).getByRole("progressbar", { name: "garden.json" }).waitFor();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await dialog(page).getByText("The import was given up.").waitFor();
  for (const go of release) go();
});

test("boards begin with a template", async () => {
  const page = await site.person("eve");
  const make = async (template: string, title = "") => {
    await page.goto("/");
    await page.getByLabel("Begins with").selectOption({ label: template });
    await page.getByLabel("Title of the board").fill(title);
    await page.getByRole("button", { name: "New board" }).click();
    await state(page)
      .getByText(/Live|Saved/)
      .waitFor();
  };
  await make("To do, doing, done", "Plain");
  await shows(() => heads(page), ["To do", "Doing", "Done"]);
  await make("Backlog to done, with limits", "Code");
  await shows(() => heads(page), ["Backlog", "Ready", "In progress", "Review", "Done"]);
  await column(page, "Review").getByText("0 of 5", { exact: true }).waitFor();
  await make("Nothing", "Blank");
  await page.getByRole("button", { name: "Add a column" }).waitFor();
  await shows(() => heads(page), []);
  // The sample, twice: two boards of one's own, the first under its own title.
  await make("The sample board");
  await page.getByRole("heading", { name: "Workshop Okonjo" }).waitFor();
  const first = page.url();
  await make("The sample board", "My sample");
  await page.getByRole("heading", { name: "My sample" }).waitFor();
  expect(page.url()).not.toBe(first);
  await column(page, "Up next").getByRole("button", { name: "Add a card" }).waitFor();
  await page.goto("/");
  await shows(() => page.locator(".boards li").count(), 5);
});
