// What a browser fetches for a board.
import type { Page } from "playwright-core";
import { type Figure, quantile } from "./figures.js";
import { Place } from "./place.js";
import { type Start, watchStart } from "./start.js";

const KB = 1_024;

/** The scripts and styles that came before the first cards, and what came after them, as transferred. */
export async function measureBytes(): Promise<Figure[]> {
  const place = await Place.open();
  try {
    const crew = await place.board();
    const page = await place.page(crew, 0);
    const asked = new Set<string>();
    page.on("request", (request) => asked.add(new URL(request.url()).host));
    await page.addInitScript(watchStart);
    await page.goto(`/b/${crew.board.id}`);
    await page.locator(".connection.live").waitFor();
    await page.waitForLoadState("networkidle");
    const all = await fetched(page);
    const { cards } = await page.evaluate(() => (globalThis as unknown as { start: Start }).start);
    const before = all.filter(({ at }) => at < cards);
    const others = [...asked].filter((host) => host !== new URL(place.url).host);
    const kb = (files: Fetched[], end: string) =>
      files.filter(({ name }) => name.endsWith(end)).reduce((sum, { bytes }) => sum + bytes, 0) /
      KB;
    const scripts = before.filter(({ name }) => name.endsWith(".js"));
    const largest = quantile(
      scripts.map(({ bytes }) => bytes / KB),
      1,
    );
    return [
      {
        name: "scripts before the first cards",
        unit: "KB",
        measured: kb(before, ".js"),
        most: 170,
        note: `${scripts.length} files, the largest of ${largest.toFixed(1)} KB`,
      },
      { name: "styles before the first cards", unit: "KB", measured: kb(before, ".css") },
      { name: "scripts with those of dialogs", unit: "KB", measured: kb(all, ".js") },
      { name: "requests to others", unit: "", measured: others.length, most: 0 },
    ];
  } finally {
    await place.close();
  }
}

type Fetched = { name: string; bytes: number; at: number };

function fetched(page: Page): Promise<Fetched[]> {
  return page.evaluate(() => {
    const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    return entries.map(({ name, encodedBodySize, startTime }) => {
      return { name, bytes: encodedBodySize, at: startTime };
    });
  });
}
