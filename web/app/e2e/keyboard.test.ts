// Without a mouse or a finger: from signing in to a card that was moved, commented and archived.
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { column, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const isThere = () => target.evaluate((one) => one === document.activeElement);
  for (let tabs = 0; tabs < 60; tabs++) {
    if (await isThere()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test("the keyboard alone leads from signing in to an archived card", async () => {
  const other = await site.stranger();
  await site.firstStart(other);
  const page = await site.stranger();
  const { keyboard } = page;
  const said = () => page.locator("#announcer").textContent();

  await page.goto("/");
  await tabTo(page, page.getByLabel("E-mail"));
  await keyboard.type("ann@example.org");
  await tabTo(page, page.getByLabel("Password"));
  await keyboard.type("a long password\n");
  await tabTo(page, page.getByLabel("Title of the board"));
  await keyboard.type("Garden\n");

  await tabTo(page, column(page, "To do").getByRole("button", { name: "Add a card" }));
  await keyboard.press("Enter");
  await keyboard.type("Dig\nSow\n");
  await shows(() => titles(page, "To do"), ["Dig", "Sow"]);
  await keyboard.press("Escape");
  await tabTo(page, page.getByRole("link", { name: "Dig" }));
  await keyboard.press("ArrowDown");
  await keyboard.press("Alt+ArrowUp");
  await shows(said, "Sow moved to To do, 1 of 2");
  await keyboard.press("Alt+ArrowRight");
  await shows(said, "Sow moved to Doing, 1 of 1");
  await shows(() => titles(page, "Doing"), ["Sow"]);

  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await tabTo(page, dialog.getByLabel("Write a comment"));
  await keyboard.type("After the frost.");
  await keyboard.press("Control+Enter");
  await dialog.locator(".comments li").getByText("After the frost.").waitFor();
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await shows(
    () => page.evaluate(() => document.activeElement?.querySelector(".title")?.textContent),
    "Sow",
  );
  await keyboard.press("c");
  await shows(said, "Sow archived");
  await shows(() => titles(page, "Doing"), []);
  await state(page).getByText("Saved", { exact: true }).waitFor();

  // The server has all of it.
  const kept = await page.evaluate(async () => {
    const board = location.pathname.split("/")[2];
    const path = `/api/v1/boards/${board}/cards?q=${encodeURIComponent("is:archived frost")}`;
    return (await fetch(path)).json();
  });
  const found = kept.cards.map(({ title }: { title: string }) => title);
  expect(found).toEqual(["Sow"]);
  expect(await site.closePages()).toEqual([]);
});
