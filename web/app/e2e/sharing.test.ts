// What is one's own, and what is shared by addresses.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, opened, shows, state } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

/** The text that is shown once. */
const secret = (page: Page) => page.locator(".secret input").inputValue();

test("one sees one's sessions and ends another, and makes a token that works until it is revoked", async () => {
  const page = await site.stranger();
  await site.firstStart(page);
  const other = await site.stranger();
  await site.signIn(other);
  await other.getByRole("heading", { name: "Boards", exact: true }).waitFor();

  await page.getByRole("link", { name: "You" }).click();
  await page.getByRole("heading", { name: "You" }).waitFor();
  const sessions = page.getByRole("region", { name: "Sessions" }).getByRole("listitem");
  await shows(() => sessions.count(), 2);
  await sessions.getByText("this one").waitFor();
  await sessions.getByRole("button", { name: /^End/ }).click();
  await shows(() => sessions.count(), 1);
  await state(other).getByText("Signed out").waitFor();

  await page.getByLabel("Name of the token").fill("Script");
  await page.getByLabel("Scope").selectOption("read");
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByLabel("it is not shown again").waitFor();
  const token = await secret(page);
  expect(token).toMatch(/^bct_[A-Za-z0-9_-]{43}$/);
  const ask = async () => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${site.server.url}/api/v1/boards`, { headers })).status;
  };
  expect(await ask()).toBe(200);
  const revoke = page.getByRole("button", { name: "Revoke Script" });
  await revoke.click();
  await revoke.waitFor({ state: "detached" });
  expect(await ask()).toBe(401);

  await page.getByLabel("Present password").fill("not the password");
  await page.getByLabel("New password").fill("another long password");
  await page.getByRole("button", { name: "Change it" }).click();
  await page
    .getByRole("alert")
    .getByText(/password/)
    .waitFor();
  await page.getByLabel("Present password").fill("a long password");
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByText("The password is changed").waitFor();
  await page.reload();
  await shows(() => sessions.count(), 1);
});

test("an invitation makes a member, once, and a public link shows the board and nothing else", async () => {
  const board = await site.board({ "To do": ["One"] });
  const ann = await opened(site, "ann", board);
  await ann.getByRole("button", { name: "Members" }).click();
  const dialog = ann.getByRole("dialog");
  const invitations = dialog.getByRole("region", { name: "Invitations" });
  await invitations.getByLabel("Role of who accepts it").selectOption("editor");
  await invitations.getByRole("button", { name: "Make an invitation" }).click();
  await dialog.locator(".secret").waitFor();
  const invitation = await secret(ann);
  expect(invitation).toContain(`${site.url}/#invitation=bci_`);

  const bob = await site.person("bob");
  await bob.goto(invitation);
  await card(bob, "One").waitFor();
  expect(bob.url()).toBe(`${site.url}/b/${board.id}`);
  await column(bob, "To do").getByRole("button", { name: "Add a card" }).waitFor();
  await shows(async () => board.get("members", "bob")?.role, "editor");
  const eve = await site.person("eve");
  await eve.goto(invitation);
  await eve.getByText("The invitation was not accepted").waitFor();
  await shows(async () => [...board.all("members").keys()].sort(), ["ann", "bob"]);

  const links = dialog.getByRole("region", { name: "Public links" });
  await links.getByLabel("Good for").selectOption({ label: "7 days" });
  await links.getByRole("button", { name: "Make a public link" }).click();
  const link = links.locator(".secret input");
  await link.waitFor();
  const guest = await site.stranger();
  await guest.goto(await link.inputValue());
  await card(guest, "One").waitFor();
  expect(guest.url()).toBe(`${site.url}/b/${board.id}`);
  expect(await guest.getByRole("button", { name: "Add a card" }).count()).toBe(0);
  await board.submit({ type: "card.set", card: "One", set: { title: "Live" } }).live();
  await card(guest, "One").getByText("Live").waitFor();
  await links.getByRole("button", { name: "Revoke public link" }).click();
  await state(guest).getByText("Signed out").waitFor();
});
