// The links that the server and its commands print, opened in a real browser.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { shows } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

/** Whom this tab and this browser remember. */
const remembered = (page: Page) =>
  page.evaluate(() => [
    sessionStorage.getItem("boardcast-user"),
    localStorage.getItem("boardcast-user"),
  ]);
const boards = (page: Page) => page.getByRole("heading", { name: "Boards", exact: true });
const told = (page: Page) => page.getByRole("alert").textContent();

test("the page comes from the server alone, and its files are kept for good", async () => {
  const page = await site.stranger();
  const kept = new Map<string, string | undefined>();
  page.on("response", (response) => {
    kept.set(response.url(), response.headers()["cache-control"]);
  });
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  const own = new URL(site.url).origin;
  expect([...kept.keys()].filter((url) => new URL(url).origin !== own)).toEqual([]);
  expect(kept.get(`${own}/sign-in`)).toBe("no-cache");
  const files = [...kept].filter(([url]) => url.startsWith(`${own}/assets/`));
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const [, cache] of files) expect(cache).toBe("public, max-age=31536000, immutable");
});

test("the link of `boardcast link` signs a tab in, once", async () => {
  const link = site.atDoor(site.server.link("root"));
  const page = await site.stranger();
  await page.goto(link);
  await boards(page).waitFor();
  expect(page.url()).toBe(`${site.url}/`);
  expect(await remembered(page)).toEqual(["root", null]);
  await page.getByLabel("Title of the board").fill("Garden");
  await page.getByRole("button", { name: "New board" }).click();
  await page.locator(".connection").getByText("Saved", { exact: true }).waitFor();
  await page.reload();
  await page.getByRole("region", { name: "Doing" }).waitFor();

  const late = await site.stranger();
  await late.goto(link);
  await late.getByLabel("E-mail").waitFor();
  expect(await told(late)).toContain("has been used");
  expect(new URL(late.url()).pathname + new URL(late.url()).hash).toBe("/sign-in");
});

test("a link that is opened in a tab that shows the page signs that tab in anew", async () => {
  const page = await site.stranger();
  await page.goto(site.atDoor(site.server.link("root")));
  await boards(page).waitFor();
  await page.goto(site.atDoor(site.server.link("other")));
  await shows(() => remembered(page).catch(() => []), ["other", null]);
  await boards(page).waitFor();
  expect(page.url()).toBe(`${site.url}/`);
});

test("the link of `boardcast user add` sets a password, once", async () => {
  const link = site.atDoor(site.server.passwordLink("Bob Ray", "bob@example.org"));
  const page = await site.stranger();
  for (const again of [false, true]) {
    await page.goto(link);
    await page.getByRole("heading", { name: "Set a password" }).waitFor();
    await page.getByLabel("Password").fill("another long password");
    await page.getByRole("button", { name: "Continue" }).click();
    if (again) await expect.poll(() => told(page)).toContain("link");
    else await boards(page).waitFor();
  }
  const [here, always] = await remembered(page);
  expect(here).toBeNull();
  expect(always).toMatch(/^[A-Za-z0-9_-]{1,22}$/);
});
