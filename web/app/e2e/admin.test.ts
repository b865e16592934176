// What administrators see and do.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { opened, shows, state } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await Site.start("", "--max-connections-per-user", "7");
  page = await site.stranger();
  await site.firstStart(page);
});
afterAll(async () => {
  expect(await site.closePages()).toEqual([]);
  await site.stop();
});
afterEach(() => {
  expect(site.errors).toEqual([]);
});

const rows = () => page.locator("tbody tr");
const row = (name: string) => rows().filter({ hasText: name });
const part = (name: string) => page.getByRole("navigation").getByRole("link", { name });

test("people are added, get a link, are disabled and become administrators", async () => {
  await page.getByRole("link", { name: "Administration" }).click();
  await row("Ann Lee").getByText("Administrator").waitFor();
  await page.getByLabel("Name").fill("Bob Ray");
  await page.getByLabel("E-mail").fill("bob@example.org");
  await page.getByRole("button", { name: "Add a person" }).click();
  await row("Bob Ray").getByText("No password yet").waitFor();
  const link = await page.locator(".secret input").inputValue();
  expect(link).toContain(`${site.url}/password#link=`);

  const bob = await site.stranger();
  await bob.goto(link);
  await bob.getByLabel("Password").fill("another long password");
  await bob.getByRole("button", { name: "Continue" }).click();
  await bob.getByRole("heading", { name: "Boards", exact: true }).waitFor();
  await state(bob).getByText("Live").waitFor();
  expect(await bob.getByRole("link", { name: "Administration" }).count()).toBe(0);
  await bob.goto("/admin/users");
  await bob.getByRole("alert").getByText("--role admin").waitFor();

  await row("Bob Ray").getByRole("button", { name: "Make Bob Ray an administrator" }).click();
  await row("Bob Ray").getByText("Administrator").waitFor();
  await bob.goto("/");
  await bob.getByRole("link", { name: "Administration" }).waitFor();
  await row("Bob Ray").getByRole("button", { name: "Take administration back from Bob" }).click();
  // Who is no administrator any more is signed out.
  await state(bob).getByText("Signed out").waitFor();
  await page.getByRole("button", { name: "Take administration back from Ann" }).click();
  await page.getByRole("alert").getByText("last administrator").waitFor();

  await row("Bob Ray").getByRole("button", { name: "Disable Bob Ray" }).click();
  await row("Bob Ray").getByText("Disabled").waitFor();
  expect(
    await row("Bob Ray")
      .getByRole("button", { name: /password/ })
      .count(),
  ).toBe(0);
  await row("Bob Ray").getByRole("button", { name: "Enable Bob Ray" }).click();
  await row("Bob Ray").getByText("Disabled").waitFor({ state: "detached" });
  const before = link;
  await row("Bob Ray").getByRole("button", { name: "Link for a password of Bob Ray" }).click();
  await expect.poll(() => page.locator(".secret input").inputValue()).not.toBe(before);
});

test("connections are listed live, found, sorted, and one is closed with a reason", async () => {
  const board = await site.board({ "To do": [] }, { zoe: "editor" });
  const zoe = await opened(site, "zoe", board);
  await part("Connections").click();
  await page.getByText(/\d+ connections/).waitFor({ state: "attached" });
  await row("zoe").getByText("1 board").waitFor();
  await page.getByRole("button", { name: "User" }).click();
  await page
    .getByRole("columnheader", { name: "User" })
    .and(page.locator("[aria-sort=ascending]"))
    .waitFor();
  const users = () => rows().locator("th").allInnerTexts();
  await shows(async () => (await users())[0]?.startsWith("zoe"), false);
  await page.getByRole("button", { name: "User" }).click();
  await shows(async () => (await users())[0]?.startsWith("zoe"), true);
  await page.getByRole("searchbox", { name: "User" }).fill("zoe");
  await shows(() => rows().count(), 1);
  await page.getByRole("button", { name: /^Close connection/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("an old version");
  await dialog.getByRole("button", { name: "Close the connection" }).click();
  await state(zoe).getByText("an old version").waitFor();
  await shows(() => rows().count(), 0);
  await state(zoe).getByRole("button", { name: "Try again" }).click();
  // It comes back by itself.
  await shows(() => rows().count(), 1);
});

test("the numbers are drawn, and say why connections have ended", async () => {
  const board = await site.board({ "To do": [] });
  await part("Numbers").click();
  await page.locator(".chart canvas").first().waitFor();
  await shows(() => page.locator(".chart canvas").count(), 5);
  await board.submit({ type: "column.create", column: "c", title: "C" }).saved();
  const chart = (title: string) => page.locator(".chart").filter({ hasText: title });
  await expect
    .poll(() => chart("Connections").locator("figcaption").textContent())
    .toMatch(/open [1-9]/);
  await expect.poll(() => chart("Memory").textContent()).toMatch(/process [\d.]+ MB/);
  // A change came between two looks.
  await expect
    .poll(
      async () => {
        board.submit({ type: "column.set", column: "c", title: `C ${Date.now()}` });
        return chart("From a change to the disk").textContent();
      },
      { timeout: 15_000, interval: 500 },
    )
    .toMatch(/p50 [\d.,]+ ms/);
  await page
    .getByRole("region", { name: "Why connections" })
    .getByText("closed by admin")
    .waitFor();
});

test("the limits in force say where they come from", async () => {
  await part("Limits in force").click();
  await page.getByLabel("Find a setting").fill("per_user");
  const user = row("max_connections_per_user");
  await user.getByText("7", { exact: true }).waitFor();
  await user.getByText("the command line").waitFor();
  await row("max_uploads_per_user").getByText("the default").waitFor();
  await page.getByLabel("Find a setting").fill("max_message_bytes");
  await rows().getByText("524,288 (524.3 kB)").waitFor();
});

test("the audit log is read page by page, and by what and whom", async () => {
  // More than a page.
  for (let at = 0; at < 60; at++) {
    await page.evaluate(async () => {
      await fetch("/api/v1/sessions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: `nobody-${Math.random()}@example.org`, password: "wrong" }),
      });
    });
  }
  await part("Audit log").click();
  await expect
    .poll(
      async () => {
        await page.reload();
        await rows().first().waitFor();
        return rows().count();
      },
      { timeout: 10_000 },
    )
    .toBe(50);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect.poll(() => rows().count()).toBeGreaterThan(50);
  await page.getByLabel("What", { exact: true }).selectOption("connection_closed");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await shows(() => rows().count(), 1);
  await rows().getByText("an old version").waitFor();
  await page.getByLabel("Filter by").selectOption("about");
  await page.getByLabel("About whom").fill("nobody-here");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("There is nothing like this in the log.").waitFor();
});
