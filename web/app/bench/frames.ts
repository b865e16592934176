// What the page has to do for each frame while somebody drags and scrolls and others edit.
import type { Page } from "playwright-core";
import { type Figure, quantile } from "./figures.js";
import { COLUMNS, Place, pause } from "./place.js";
import { heapBytes } from "./start.js";
import { type Frame, framesOf, type TraceEvent } from "./trace.js";

const CLIENTS = 50;
const EDITS_PER_S = 50;
/** How long each of the three is done, in milliseconds. */
const EACH_MS = 6_000;
/** Time between two movements of the hand, in milliseconds. */
const STEP_MS = 16;
/** What a frame may cost, in milliseconds. */
const FRAME_MS = 8;

const CATEGORIES = [
  "blink.user_timing",
  "disabled-by-default-devtools.timeline",
  "disabled-by-default-devtools.timeline.frame",
];

/** Scrolls and drags while simulated clients edit the board. */
export async function measureFrames(): Promise<Figure[]> {
  const place = await Place.open();
  try {
    const crew = await place.crew(CLIENTS, EDITS_PER_S, 120);
    const page = await place.page(crew, 0);
    await page.goto(`/b/${crew.board.id}`);
    await page.locator(".connection.live").waitFor();
    // What is fetched after the board is there.
    await page.waitForTimeout(3_000);
    const before = crew.board.version;
    const frames: Frame[] = [];
    const figures: Figure[] = [];
    for (const [name, act] of Object.entries({ sideways, downwards, dragging })) {
      const found = await traced(page, act);
      frames.push(...found);
      figures.push(...cost(name, found, {}));
    }
    const edits = crew.board.version - before;
    if (edits < EACH_MS / 100) throw new Error(`only ${edits} edits came meanwhile`);
    const heap = await heapBytes(await page.context().newCDPSession(page));
    await crew.stop();
    return [
      ...cost("all", frames, { least: 95, most: 50 }),
      ...figures,
      { name: "heap afterwards", unit: "MB", measured: heap / 1e6, most: 100 },
      { name: "edits meanwhile", unit: "", measured: edits },
    ];
  } finally {
    await place.close();
  }
}

/** What frames have cost: processor time of the page's main thread. */
function cost(name: string, frames: Frame[], must: { least?: number; most?: number }): Figure[] {
  const cpu = frames.map((frame) => frame.cpuMs);
  const short = frames.filter((frame) => frame.cpuMs < FRAME_MS).length;
  const tasks = frames.map((frame) => frame.longestTaskMs);
  const walls = frames.map((frame) => frame.longestWallMs);
  const note = `${frames.length} frames; median ${quantile(cpu, 0.5).toFixed(1)} ms, p95 ${quantile(cpu, 0.95).toFixed(1)} ms`;
  return [
    {
      name: `frames under ${FRAME_MS} ms, ${name}`,
      unit: "%",
      measured: (100 * short) / frames.length,
      ...(must.least && { least: must.least }),
      note,
    },
    {
      name: `longest task, ${name}`,
      unit: "ms",
      measured: Math.max(...tasks),
      ...(must.most && { most: must.most }),
      note: `${Math.max(...walls).toFixed(1)} ms with waiting for a processor`,
    },
  ];
}

/** Does something for a while, and says what each frame of it has cost. */
async function traced(page: Page, act: (page: Page) => Promise<void>): Promise<Frame[]> {
  const browser = page.context().browser();
  await browser?.startTracing(page, { categories: CATEGORIES });
  await page.evaluate(() => performance.mark("bench-begin"));
  await act(page);
  await page.evaluate(() => performance.mark("bench-end"));
  const trace = (await browser?.stopTracing())?.toString() ?? "{}";
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  return framesOf(traceEvents);
}

/** Calls for each step of a movement that takes {@link EACH_MS}. */
async function steps(move: (step: number) => Promise<void>): Promise<void> {
  const end = Date.now() + EACH_MS;
  for (let step = 0; Date.now() < end; step++) {
    await move(step);
    await pause(STEP_MS);
  }
}

/** Through the columns and back. */
async function sideways(page: Page): Promise<void> {
  await page.mouse.move(640, 60);
  await steps((step) => page.mouse.wheel(step % 240 < 120 ? 60 : -60, 0));
  await page.locator(".columns").evaluate((columns) => columns.scrollTo({ left: 0 }));
}

/** Through the cards of a column and back. */
async function downwards(page: Page): Promise<void> {
  const lane = await page.locator(".lane").nth(1).boundingBox();
  if (!lane) throw new Error("there is no column in view");
  await page.mouse.move(lane.x + lane.width / 2, lane.y + lane.height / 2);
  await steps((step) => page.mouse.wheel(0, step % 60 < 30 ? 30 : -30));
}

/** A card over other cards, and to the edge, where the columns scroll by themselves. */
async function dragging(page: Page): Promise<void> {
  const card = await page.locator(".card").first().boundingBox();
  if (!card) throw new Error("there is no card in view");
  await page.mouse.move(card.x + 30, card.y + 10);
  await page.mouse.down();
  await steps((step) => {
    const part = (step % 180) / 180;
    const x = part < 0.5 ? 200 + part * 2 * 1_060 : 1_260 - (part - 0.5) * 2 * 1_240;
    return page.mouse.move(x, 200 + 150 * Math.sin(step / 12));
  });
  await page.mouse.up();
  const columns = await page.locator(".column").count();
  if (columns > COLUMNS / 10) throw new Error(`${columns} columns are in the document`);
}
