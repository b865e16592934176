// The network is cut again and again while somebody works in a browser.
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomFrom } from "../../packages/client/test/plan.js";
import { Site } from "./site.js";

const ROUNDS = Number(process.env.ROUNDS ?? 15);
let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

test(`${ROUNDS} cuts during edits: nothing is lost, nothing comes twice`, async () => {
  const random = randomFrom(ROUNDS);
  const board = await site.board({ "To do": [] });
  const page = await site.person("ann");
  await page.goto(`/b/${board.id}`);
  const add = page.getByRole("button", { name: "Add a card" });
  await add.waitFor();
  const field = page.getByLabel("Title of the card");
  const added: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (await add.isVisible()) await add.click();
    for (let cards = Math.floor(random() * 4); cards >= 0; cards--) {
      added.push(`${round}.${cards}`);
      await field.fill(`${round}.${cards}`);
      await field.press("Enter");
    }
    const { door } = site;
    if (random() < 0.3) door.close();
    else door.cut();
    await new Promise((resolve) => setTimeout(resolve, random() * 300));
    door.reopen();
    const now = page.getByRole("button", { name: "Now" });
    if (await now.isVisible()) await now.click({ timeout: 500 }).catch(() => {});
  }
  const connection = page.locator(".connection");
  await connection.getByText("Saved", { exact: true }).waitFor({ timeout: 45_000 });
  const titles = () => [...board.cards("To-do")].map((id) => board.get("cards", id)?.title);
  await expect.poll(titles, { timeout: 10_000 }).toEqual(added);
  expect(board.version).toBe(added.length + 2);
  expect(await site.closePages()).toEqual([]);
});
