// What is said of the connection and of what is unsaved, in each state that there is.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, state } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start("", "--max-connections-per-user", "2");
});
afterAll(() => site.stop());
afterEach(async () => {
  site.door.delay = () => 0;
  site.door.reopen();
  expect(await site.closePages()).toEqual([]);
});

/** Adds a card to the first column. */
async function add(page: Page, title: string): Promise<void> {
  const field = page.getByLabel("Title of the card");
  if (!(await field.isVisible()))
    await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  await field.fill(title);
  await field.press("Enter");
}

const says = (page: Page, what: string | RegExp) => state(page).getByText(what).waitFor();

test("live, saving, saved, reconnecting, offline and unsaved are told apart", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const page = await opened(site, "bob", board);
  // Nothing was done: there is nothing to call saved.
  await says(page, /^Live$/);
  site.door.delay = () => 1_500;
  await add(page, "Two");
  await says(page, "Saving 1 change");
  await add(page, "Three");
  await says(page, "Saving 2 changes");
  site.door.delay = () => 0;
  await says(page, /^Saved$/);

  site.door.close();
  await says(page, /^Reconnecting in \d+ s /);
  await add(page, "Four");
  await says(page, /^Reconnecting in \d+ s · 1 unsaved change /);
  await page.context().setOffline(true);
  await says(page, /^Offline · 1 unsaved change /);
  await add(page, "Five");
  await says(page, /^Offline · 2 unsaved changes /);
  site.door.reopen();
  await page.context().setOffline(false);
  await says(page, /^Saved$/);
  await shows(async () => board.cards("To-do").length, 5);
});

test("a connection that does not come back by itself says why, and tries again when asked", async () => {
  const board = await site.board({ "To do": ["One"] }, { eve: "editor" });
  const first = await opened(site, "eve", board);
  const second = await first.context().newPage();
  await second.goto(`/b/${board.id}`);
  await says(second, /^Live$/);
  const third = await first.context().newPage();
  await third.goto(`/b/${board.id}`);
  await says(third, "Disconnected: the user has too many connections; close another first");
  await second.close();
  const again = state(third).getByRole("button", { name: "Try again" });
  // The server hears of the end of the other one a little later.
  await expect
    .poll(async () => {
      if (await again.isVisible()) await again.click();
      return state(third).textContent();
    })
    .toBe("Live");
});

test("who is let in no more is told to sign in, with what is unsaved", async () => {
  const page = await site.stranger();
  await site.firstStart(page);
  await page.getByLabel("Title of the board").fill("Garden");
  await page.getByRole("button", { name: "New board" }).click();
  await says(page, /^Saved$/);
  site.door.close();
  await says(page, "Reconnecting in");
  await add(page, "Dig");
  await says(page, "1 unsaved change");
  await page.context().clearCookies();
  site.door.reopen();
  await says(page, /^Signed out · 1 unsaved change$/);
  await state(page).getByRole("link", { name: "Signed out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await site.signIn(page);
  await page.getByRole("link", { name: "Garden" }).click();
  await column(page, "To do").getByText("Dig").waitFor();
});

test("two who write the same description are shown what each has written", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const page = await opened(site, "bob", board);
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Add a description" }).click();
  await dialog.getByLabel("Description").fill("His words");
  const set = { description: "Her words" };
  await board.submit({ type: "card.set", card: "One", set }).live();
  await dialog.getByRole("button", { name: "Save" }).click();
  const notice = dialog.locator(".notice");
  await shows(() => notice.locator("dd").allInnerTexts(), ["His words", "Her words"]);
  await notice.getByRole("button", { name: "Keep theirs" }).click();
  await dialog.locator(".prose").getByText("Her words").waitFor();
});
