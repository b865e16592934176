// What a page shows.
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { idOf, type Site } from "./site.js";

/** A column by its title. */
export const column = (page: Page, title: string) =>
  page.getByRole("region", { name: title, exact: true });
/** A card by the title that it had when it was made. */
export const card = (page: Page, title: string) => page.locator(`[data-card="${idOf(title)}"]`);
/** What is said of the connection. */
export const state = (page: Page) => page.locator(".connection");
/** The titles of the cards of a column, as they are shown. */
export const titles = (page: Page, title: string) =>
  column(page, title).locator(".card .title").allInnerTexts();

/** Ends when a question to the page has this answer. */
export async function shows<T>(ask: () => Promise<T>, answer: T): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    const now = await ask();
    if (JSON.stringify(now) === JSON.stringify(answer)) return;
    if (Date.now() > until) return expect(now).toEqual(answer);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A browser of somebody, in which the board is live. */
export async function opened(site: Site, user: string, board: LiveBoard): Promise<Page> {
  const page = await site.person(user);
  await page.goto(`/b/${board.id}`);
  await state(page).getByText("Live").waitFor();
  return page;
}
