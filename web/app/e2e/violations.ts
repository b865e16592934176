// What axe finds wrong with a page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Violation = { id: string; nodes: { html: string; failureSummary: string }[] };

/** What axe finds wrong with the page as it is; of an open dialog, behind which all is hidden. */
export async function violations(page: Page): Promise<string[]> {
  // What moves in is looked at when it has come.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(about: Node): Promise<unknown> } };
    const about = document.querySelector("[role=dialog]") ?? document;
    return ((await axe.run(about)) as { violations: Violation[] }).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}
