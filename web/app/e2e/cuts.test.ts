// The network is cut again and again while somebody works in a browser.
import { afterAll, beforeAll, expect, test } from "vitest";
import { addThroughCuts } from "./cutting.js";
import { Site } from "./site.js";

const ROUNDS = Number(process.env.ROUNDS ?? 15);
let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

test(`${ROUNDS} cuts during edits: nothing is lost, nothing comes twice`, async () => {
  const board = await site.board({ "To do": [] });
  const page = await site.person("ann");
  await page.goto(`/b/${board.id}`);
  const added = await addThroughCuts(site, page, ROUNDS);
  const connection = page.locator(".connection");
  await connection.getByText("Saved", { exact: true }).waitFor({ timeout: 45_000 });
  const titles = () => [...board.cards("To-do")].map((id) => board.get("cards", id)?.title);
  await expect.poll(titles, { timeout: 10_000 }).toEqual(added);
  expect(board.version).toBe(added.length + 2);
  expect(await site.closePages()).toEqual([]);
});
