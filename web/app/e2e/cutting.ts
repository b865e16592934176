// Somebody adds cards in a browser while the network is cut again and again.
import type { Page } from "playwright-core";
import { randomFrom } from "../../packages/client/test/plan.js";
import type { Site } from "./site.js";

/** How long the network may be away, in milliseconds. */
const AWAY_MS = 300;

/** Adds cards to the only column while the network is cut; the titles in the order in which they were added. */
export async function addThroughCuts(site: Site, page: Page, rounds: number): Promise<string[]> {
  const random = randomFrom(rounds);
  const add = page.getByRole("button", { name: "Add a card" });
  await add.waitFor();
  const field = page.getByLabel("Title of the card");
  const added: string[] = [];
  for (let round = 0; round < rounds; round++) {
    if (await add.isVisible()) await add.click();
    for (let cards = Math.floor(random() * 4); cards >= 0; cards--) {
      added.push(`${round}.${cards}`);
      await field.fill(`${round}.${cards}`);
      await field.press("Enter");
    }
    const { door } = site;
    if (random() < 0.3) door.close();
    else door.cut();
    await new Promise((resolve) => setTimeout(resolve, random() * AWAY_MS));
    door.reopen();
    const now = page.getByRole("button", { name: "Now" });
    if (await now.isVisible()) await now.click({ timeout: 500 }).catch(() => {});
  }
  return added;
}
