// What a board offers besides its cards: members, the archive, a filter, Markdown.
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
    "[tab](\tjavascript:alert(1)) [blank]( javascript:alert(1)) [upper](JavaScript:alert(1))",
    "[entity](&#106;avascript:alert(1)) [named](javascript&colon;alert(1)) [vb](vbscript:alert(1))",
    "[inside](java&#10;script:alert(1)) [data](data:text/html,<script>alert(1)</script>)",
    "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<math><mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=data:text/html,x></object>",
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
  const foreign =
    "img, script, style, form, button, svg, math, iframe, object, [style], [onclick], [onload]";
  expect(await prose.locator(foreign).count()).toBe(0);
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

test("markup in titles, names and comments is shown as it is written", async () => {
  const markup = (of: string) => `<img src=x onerror=alert('${of}')>"><svg onload=alert(1)>`;
  const board = await site.board({ "To do": ["One"] }, { bob: "viewer" });
  const on = { card: "One" };
  await board
    .submit([
      { type: "board.set", title: markup("board") },
      { type: "column.set", column: "To-do", title: markup("column") },
      { type: "member.add", user: "bob", name: markup("member"), role: "viewer" },
      { type: "label.create", label: "l", name: markup("label") },
      { type: "card.label", ...on, label: "l", on: true },
      { type: "card.assign", ...on, user: "bob", on: true },
      { type: "card.set", ...on, set: { title: markup("card") } },
      { type: "comment.create", ...on, comment: "m", text: markup("comment") },
      { type: "checklist.create", ...on, checklist: "k", title: markup("checklist") },
      { type: "item.create", ...on, checklist: "k", item: "i", text: markup("item") },
      { type: "attachment.add", ...on, attachment: "a", name: markup("file") },
    ])
    .saved();
  const page = await site.person("ann");
  page.on("dialog", (dialog) => site.errors.push(dialog.message()));
  const shown = async (of: string) => {
    await page.getByText(markup(of)).first().waitFor();
  };
  await page.goto(`/b/${board.id}`);
  for (const of of ["board", "column", "card", "label"]) await shown(of);
  await card(page, "One").click();
  for (const of of ["comment", "item", "file"]) await shown(of);
  await shows(() => page.title().then((title) => title.includes(markup("board"))), true);
  await page.getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("button", { name: "Members" }).click();
  await shown("member");
  expect(await page.locator("img, [onerror], [onload]").count()).toBe(0);
  await page.goto("/");
  await shown("board");
  expect(await page.locator("img, [onerror], [onload]").count()).toBe(0);
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

test("a filter leaves the cards that fit, also as they change, and the keys go along them", async () => {
  const board = await site.board({ "To do": ["Red apple", "Pear", "Green apple"], Done: ["Plum"] });
  board.submit({ type: "label.create", label: "l", name: "Ripe", color: "red" });
  await board.submit({ type: "card.label", card: "Plum", label: "l", on: true }).live();
  const page = await opened(site, "ann", board);
  await page.keyboard.press("/");
  await page.keyboard.type("APPLE");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await shows(() => titles(page, "Done"), []);
  await column(page, "To do").getByText("2 of 3", { exact: true }).waitFor();
  await board.submit({ type: "card.set", card: "Pear", set: { title: "Pineapple" } }).live();
  await shows(() => titles(page, "To do"), ["Red apple", "Pineapple", "Green apple"]);
  await page.getByRole("searchbox").fill("re apple");
  await shows(() => titles(page, "To do"), ["Red apple", "Green apple"]);
  await card(page, "Red apple").focus();
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  await shows(focused, "Green-apple");
  await page.keyboard.press("Alt+ArrowUp");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple"]);
  await page.getByRole("searchbox").fill("ripe");
  await shows(() => titles(page, "Done"), ["Plum"]);
  await page.getByRole("searchbox").fill("#1");
  await shows(() => titles(page, "To do"), ["Red apple"]);
  await page.getByRole("searchbox").press("Escape");
  await shows(() => titles(page, "To do"), ["Green apple", "Red apple", "Pineapple"]);
  await shows(async () => board.cards("To-do"), ["Green-apple", "Red-apple", "Pear"]);
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
