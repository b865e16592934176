// What a board offers besides its cards: members, the archive, Markdown.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  site.door.reopen();
  expect(await site.closePages()).toEqual([]);
});

test("pasted lines become a card each, and titles are changed in place", async () => {
  const board = await site.board({ "To do": [] });
  const page = await opened(site, "ann", board);
  await column(page, "To do").getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel("Title of the card").evaluate((field) => {
    const data = new DataTransfer();
    data.setData("text/plain", "Apples\r\n\n  Pears \nPlums");
    field.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
    );
  });
  await shows(() => titles(page, "To do"), ["Apples", "Pears", "Plums"]);
  await page.getByLabel("Title of the card").press("Escape");
  const pears = page.getByRole("link", { name: "Pears" });
  await pears.focus();
  await pears.press("e");
  await page.getByLabel("Title of the card").fill("Quinces");
  await page.getByLabel("Title of the card").press("Enter");
  await shows(() => titles(page, "To do"), ["Apples", "Quinces", "Plums"]);
  await page.getByRole("button", { name: "Rename To do" }).click();
  await page.getByLabel("Title of the column").fill("Fruit");
  await page.getByLabel("Title of the column").press("Enter");
  await column(page, "Fruit").waitFor();
  await state(page).getByText("Saved", { exact: true }).waitFor();
  await shows(async () => board.columns()[0]?.title, "Fruit");
});

test("what is written cannot bring scripts, pictures or styles onto the page", async () => {
  const board = await site.board({ "To do": ["One"] });
  const description = [
    "# Heading",
    "[good](https://example.org) [bad](javascript:alert(1)) ![picture](https://example.org/a.png)",
    "<img src=x onerror=alert(1)><script>alert(1)</script><style>* { display: none }</style>",
    "<a href=https://example.org onclick=alert(1) style=position:fixed>raw</a>",
    "<form action=https://example.org><button>send</button></form><input type=password>",
    "- [x] done",
  ].join("\n\n");
  await board.submit({ type: "card.set", card: "One", set: { description } }).live();
  const page = await site.person("ann");
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("dialog", (dialog) => site.errors.push(dialog.message()));
  await page.goto(`/b/${board.id}/c/One`);
  const prose = page.locator(".description .prose");
  await prose.getByRole("heading", { name: "Heading" }).waitFor();
  expect(await prose.locator("img, script, style, form, button, [style], [onclick]").count()).toBe(
    0,
  );
  expect(await prose.locator("input:disabled").count()).toBe(1);
  expect(await prose.locator("input").count()).toBe(1);
  const links = await prose.locator("a[href]").evaluateAll((all) => {
    return all.map((link) => [
      link.textContent,
      link.getAttribute("href"),
      link.getAttribute("rel"),
    ]);
  });
  const rel = "noopener noreferrer nofollow";
  expect(links).toEqual([["good", "https://example.org", rel]]);
  expect(await prose.textContent()).toContain("<img src=x onerror=alert(1)>");
  expect(requests.filter((url) => !url.startsWith(site.url))).toEqual([]);
});

test("a viewer sees everything and can change nothing", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] }, { eve: "viewer" });
  const page = await opened(site, "eve", board);
  await card(page, "One").waitFor();
  expect(await page.getByRole("button", { name: /Add/ }).count()).toBe(0);
  await card(page, "One").dragTo(column(page, "Done").locator(".lane"));
  for (const key of ["e", "n", "c", "Alt+ArrowRight"]) await card(page, "One").press(key);
  await card(page, "One").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "One" }).waitFor();
  expect(await dialog.locator("textarea:enabled, input:enabled, select:enabled").count()).toBe(0);
  await dialog.getByRole("button", { name: "Close" }).click();
  await shows(() => titles(page, "To do"), ["One"]);
  expect(board.version).toBe(2);
  board.submit({ type: "member.remove", user: "eve" });
  await page.getByText("There is no such board, or it is not yours").waitFor();
});

test("what is archived comes back, or goes for good", async () => {
  const board = await site.board({ "To do": ["One", "Two"], Done: ["Three"] });
  const page = await opened(site, "ann", board);
  for (const title of ["One", "Two"]) {
    await card(page, title).focus();
    await card(page, title).press("c");
  }
  await page.getByRole("button", { name: "Menu of Done" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Archive Done" }).click();
  await column(page, "Done").waitFor({ state: "detached" });
  await shows(() => titles(page, "To do"), []);
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Restore One" }).click();
  await dialog.getByRole("button", { name: "Delete Two" }).click();
  await dialog.getByRole("button", { name: "Restore Done" }).click();
  await dialog.getByText("Nothing is archived").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await shows(() => titles(page, "To do"), ["One"]);
  await shows(() => titles(page, "Done"), ["Three"]);
  await shows(async () => board.get("cards", "Two"), undefined);
});

test("an admin shares the board, changes a role and takes it back", async () => {
  const board = await site.board({ "To do": ["One"] });
  const ann = await opened(site, "ann", board);
  const bob = await site.person("bob");
  await bob.goto(`/b/${board.id}`);
  await bob.getByText("There is no such board, or it is not yours").waitFor();
  await ann.getByRole("button", { name: "Members" }).click();
  const dialog = ann.getByRole("dialog");
  await dialog.getByLabel("User").fill("bob");
  await dialog.getByLabel("Role", { exact: true }).selectOption("viewer");
  await dialog.getByRole("button", { name: "Add" }).click();
  await dialog.getByText("bob", { exact: true }).first().waitFor();
  await shows(async () => board.get("members", "bob")?.role, "viewer");
  await bob.reload();
  await card(bob, "One").waitFor();
  const add = column(bob, "To do").getByRole("button", { name: "Add a card" });
  expect(await add.count()).toBe(0);
  await dialog.getByLabel("Role of bob").selectOption("editor");
  await add.waitFor();
  await dialog.getByRole("button", { name: "Remove bob" }).click();
  await bob.getByText("There is no such board, or it is not yours").waitFor();
  await dialog.getByRole("button", { name: "Remove ann" }).click();
  await dialog.locator(".notice").getByText("Not done").waitFor();
  await dialog.getByRole("button", { name: "Dismiss" }).click();
  await shows(async () => [...board.all("members").keys()], ["ann"]);
});

test("a page in the dark and on a phone", async () => {
  const board = await site.board({ "To do": ["One"], Done: [] });
  const page = await site.person("ann", {
    colorScheme: "dark",
    viewport: { width: 390, height: 800 },
    hasTouch: true,
  });
  await page.goto(`/b/${board.id}`);
  await card(page, "One").waitFor();
  const [red = 255] = await page.evaluate(() => {
    return getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
  });
  expect(red).toBeLessThan(60);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await card(page, "One").tap();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  expect((await dialog.boundingBox())?.width).toBeLessThan(390);
});
