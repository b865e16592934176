// Every page and dialog, looked at by axe, in light and dark and on a phone.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { card, column, state } from "./shown.js";
import { Site } from "./site.js";
import { violations } from "./violations.js";

let site: Site;
let board: LiveBoard;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

async function full(): Promise<LiveBoard> {
  const made = await site.board({ "To do": ["One", "Two"], Doing: ["Three"], Done: [] });
  made.submit([
    { type: "label.create", label: "l", name: "Bug", color: "red" },
    { type: "card.label", card: "One", label: "l", on: true },
    { type: "card.assign", card: "One", user: "ann", on: true },
    { type: "card.set", card: "One", set: { priority: "high", due: 1, description: "# Text" } },
    { type: "checklist.create", card: "One", checklist: "c", title: "Steps" },
    { type: "item.create", card: "One", checklist: "c", item: "i", text: "Cut" },
    { type: "comment.create", card: "One", comment: "m", text: "Good." },
    { type: "attachment.add", card: "One", attachment: "a", name: "plan.png", size: 2_000 },
    { type: "attachment.add", card: "One", attachment: "w", name: "Page", url: "https://a.org" },
    { type: "column.set", column: "Doing", wip: { limit: 1, kind: "hard" } },
    { type: "card.create", card: "old", column: "Done", title: "Old" },
    { type: "card.archive", card: "old", archived: true },
  ]);
  made.submit([
    { type: "sprint.create", sprint: "s", title: "Week 1", start: 1, end: 2 },
    { type: "field.create", field: "f", name: "Size", kind: "text" },
    { type: "field.create", field: "g", name: "Kind", kind: "list" },
  ]);
  await made.submit({ type: "member.add", user: "bob", role: "viewer" }).saved();
  return made;
}

const VIEWS = {
  light: {},
  dark: { colorScheme: "dark" as const },
  phone: { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true },
};

for (const [name, options] of Object.entries(VIEWS)) {
  test(`nothing is wrong with any page or dialog: ${name}`, async () => {
    board = await full();
    const found: Record<string, string[]> = {};
    const look = async (page: Page, what: string) => {
      const wrong = await violations(page);
      if (wrong.length > 0) found[what] = wrong;
    };
    const stranger = await site.stranger(options);
    for (const path of ["/sign-in", "/first-start", "/password"]) {
      await stranger.goto(path);
      await stranger.getByRole("button", { name: "Continue" }).waitFor();
      await look(stranger, path);
    }
    const page = await site.person("ann", options);
    await page.goto("/");
    await page.getByRole("link", { name: "Release 1" }).first().waitFor();
    await look(page, "boards");
    await page.goto("/me");
    await page.getByRole("heading", { name: "Tokens for programs" }).waitFor();
    await look(page, "me");
    await page.goto("/?q=is:open");
    await page.getByRole("region", { name: "Cards" }).getByRole("link").first().waitFor();
    await look(page, "found");
    await page.getByRole("searchbox").fill("is:");
    await page.getByRole("alert").getByText("At character 4").waitFor();
    await look(page, "faulty search");
    const root = await site.administrator(options);
    for (const part of ["users", "connections", "numbers", "settings", "audit"]) {
      await root.goto(`/admin/${part}`);
      await root.locator("table").first().waitFor();
      await look(root, `admin/${part}`);
    }
    await page.goto(`/b/${board.id}`);
    await state(page).getByText("Live").waitFor();
    await look(page, "board");
    await page.getByRole("searchbox").fill("label:");
    await page.getByText("At character 7").waitFor();
    await look(page, "faulty filter");
    await page.getByRole("searchbox").press("Escape");

    const dialog = page.getByRole("dialog");
    const opens = async (what: string, open: () => Promise<void>) => {
      await open();
      await dialog.waitFor();
      await look(page, what);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    };
    const palette = () => page.keyboard.press("Control+k");
    const chosen = (words: string) => async () => {
      await palette();
      const field = page.getByRole("combobox", { name: "Boards, cards and actions" });
      await field.fill(words);
      await page.keyboard.press("Enter");
      await field.waitFor({ state: "detached" });
    };
    await opens("palette", palette);
    await opens("card", async () => {
      await card(page, "One").click();
      await dialog.getByText("Good.").waitFor();
      // One that is refused, and so stays.
      const empty = { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) };
      await dialog.locator("input[type=file]").setInputFiles(empty);
      await dialog.getByText("empty.txt was not attached").waitFor();
    });
    await opens("members", chosen("members"));
    await opens("archive", chosen("archive"));
    await opens("settings", chosen("settings of the board"));
    await opens("keys", chosen("show the keys"));
    await opens("column", () =>
      column(page, "To do").getByRole("button", { name: "Menu of To do" }).click(),
    );

    await card(page, "One").focus();
    await page.keyboard.press("x");
    await page.getByRole("toolbar").waitFor();
    await look(page, "selection");
    await page.keyboard.press("Escape");
    board.submit({ type: "card.set", card: "One", set: { title: "Theirs" } });
    await card(page, "One").getByText("Theirs").waitFor();
    await page.keyboard.press("Alt+ArrowRight");
    await page.locator(".notice").waitFor();
    await look(page, "notice");
    await page.getByRole("button", { name: "Dismiss" }).click();
    for (const group of ["assignee", "label", "priority", "parent card"]) {
      await chosen(`by ${group}`)();
      await page.locator(".swimlane").first().waitFor();
      await look(page, `by ${group}`);
    }
    expect(found).toEqual({});
  }, 120_000);
}
