// The network is cut again and again while somebody adds cards in a browser.
import { addThroughCuts } from "../e2e/cutting.js";
import { Site } from "../e2e/site.js";
import type { Figure } from "./figures.js";

/** How long it may take at the end until everything is saved, in milliseconds. */
const SAVED_WITHIN_MS = 60_000;

/** Cuts so often, and counts what is lost, what is there twice, and whether the page says `Saved`. */
export async function measureCuts(rounds: number): Promise<Figure[]> {
  const site = await Site.start();
  try {
    const board = await site.board({ "To do": [] });
    const before = board.version;
    const page = await site.person("ann");
    await page.goto(`/b/${board.id}`);
    const added = await addThroughCuts(site, page, rounds);
    const saved = page.locator(".connection").getByText("Saved", { exact: true });
    const isStuck = await saved.waitFor({ timeout: SAVED_WITHIN_MS }).then(
      () => 0,
      () => 1,
    );
    // Those that the server has: of another client that was not cut.
    const there = [...board.cards("To-do")].map((id) => board.get("cards", id)?.title ?? "");
    const shown = await page.locator(".column .count > [aria-hidden]").textContent();
    const lost = added.filter((title) => !there.includes(title)).length;
    const note = `${added.length} cards in ${rounds} cuts, ${site.door.connects} connections`;
    return [
      { name: "cards lost", unit: "", measured: lost, most: 0, note },
      {
        name: "cards there twice",
        unit: "",
        measured: there.length - new Set(there).size,
        most: 0,
      },
      { name: "cards out of order", unit: "", measured: outOfOrder(added, there), most: 0 },
      {
        name: "commands done twice",
        unit: "",
        measured: again(board.version - before, added),
        most: 0,
      },
      { name: "page that is not saved in a minute", unit: "", measured: isStuck, most: 0 },
      {
        name: "cards missing in the page",
        unit: "",
        measured: added.length - Number(shown),
        most: 0,
      },
      { name: "errors in the page", unit: "", measured: (await site.closePages()).length, most: 0 },
    ];
  } finally {
    await site.stop();
  }
}

function outOfOrder(added: readonly string[], there: readonly string[]): number {
  const places = there.map((title) => added.indexOf(title));
  return places.filter((place, at) => at > 0 && place < (places[at - 1] ?? 0)).length;
}

/** Each card is one version. */
function again(versions: number, added: readonly string[]): number {
  return Math.max(0, versions - added.length);
}
