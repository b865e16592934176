// Boards that are archived, deleted and restored.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, opened, shows } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

test("a board is archived, found on demand, deleted after a question and restored from the bin", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const ann = await opened(site, "ann", board);
  const bob = await opened(site, "bob", board);
  await ann.getByRole("button", { name: "Archive", exact: true }).click();
  const dialog = ann.getByRole("dialog");
  await dialog.getByRole("button", { name: "Archive the board" }).click();
  await bob.getByText("This board is archived").waitFor();
  const adds = (page: typeof bob) => page.getByRole("button", { name: "Add a card" }).count();
  await shows(() => adds(bob), 0);
  await bob.getByRole("button", { name: "Archive", exact: true }).click();
  expect(await bob.getByRole("button", { name: "Delete the board" }).count()).toBe(0);

  const listed = ann.locator(".boards > ul a");
  const archived = ann.getByRole("group").filter({ hasText: "Archived boards" });
  const bin = ann.getByRole("group").filter({ hasText: "Bin" });
  // The rows that the list reads are written within about a second.
  const lists = async () => {
    await ann.goto("/");
    await ann.getByText("Archived boards").click();
    await shows(() => archived.locator("p.empty, a").count(), 1);
    return [await listed.count(), await archived.getByRole("link").count()];
  };
  await shows(lists, [0, 1]);
  await archived.getByRole("link", { name: "Release 1" }).click();
  await card(ann, "One").waitFor();

  await ann.getByRole("button", { name: "Archive", exact: true }).click();
  await dialog.getByRole("button", { name: "Delete the board" }).click();
  await dialog.getByText("It stays in the bin for 30 days").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Delete the board" }).click();
  await dialog.getByRole("button", { name: "Delete it" }).click();
  await bob.getByText("There is no such board").waitFor();
  await ann.getByRole("heading", { name: "Boards", exact: true }).waitFor();
  await ann.getByText("Bin", { exact: true }).click();
  await bin.getByRole("button", { name: "Restore Release 1" }).click();
  await card(ann, "One").waitFor();
  await ann.getByRole("button", { name: "Archive", exact: true }).click();
  await dialog.getByRole("button", { name: "Restore the board" }).click();
  await ann.getByText("This board is archived").waitFor({ state: "detached" });
  await shows(() => adds(ann), 1);
});
