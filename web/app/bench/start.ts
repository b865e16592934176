// How soon a board is there: from the server, and in the browser.
import { inflateRawSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import { WebSocket } from "ws";
import { newId } from "../../packages/client/src/index.js";
import { type Figure, median, quantile } from "./figures.js";
import { CARDS, COLUMNS, type Crew, Place } from "./place.js";

const SNAPSHOTS = 20;
const RESTARTS = 5;
const VISITS = 7;

/** How long a server takes from being asked for the board until the client has the last byte of it. */
export async function measureSnapshot(): Promise<Figure[]> {
  const place = await Place.open();
  try {
    const crew = await place.board();
    const [id, token] = [crew.board.id, crew.tokens[0] ?? ""];
    const open: Asked[] = [];
    for (let at = 0; at < SNAPSHOTS; at++) {
      // A board that has changed is encoded anew.
      await crew.board.submit({ type: "board.set", title: `Large ${at}` }).saved();
      open.push(await askedFor(place.server.url, token, id));
    }
    const closed: Asked[] = [];
    crew.board.close();
    for (let at = 0; at < RESTARTS; at++) {
      await place.server.stopAndRestart();
      closed.push(await askedFor(place.server.url, token, id));
    }
    const figure = (name: string, asked: Asked[], what: string): Figure => {
      const all = asked.map(({ ms }) => ms);
      const bytes = asked[0]?.bytes ?? 0;
      const note = `${what}; p95 ${quantile(all, 0.95).toFixed(1)} ms, ${bytes} bytes`;
      return { name, unit: "ms", measured: median(all), most: 30, note };
    };
    return [
      figure("server to snapshot, changed board", open, `median of ${SNAPSHOTS}`),
      figure("server to snapshot, not in memory", closed, `median of ${RESTARTS} after a restart`),
    ];
  } finally {
    await place.close();
  }
}

type Asked = { ms: number; bytes: number };

/** Subscribes as browsers do. */
function askedFor(url: string, token: string, board: string): Promise<Asked> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["boardcast.v1.json.deflate"]);
  let askedAt = 0;
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () =>
      socket.send(JSON.stringify({ type: "hello", v: 1, client: newId(), token })),
    );
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      const now = performance.now();
      const text = (isBinary ? inflateRawSync(data) : data).toString();
      if (text.startsWith('{"type":"welcome"')) {
        askedAt = performance.now();
        socket.send(JSON.stringify({ type: "subscribe", req: 1, board }));
      } else if (text.startsWith('{"type":"snapshot"')) {
        socket.close();
        const { view } = JSON.parse(text);
        const counts = [view.cards.length, view.columns.length];
        if (`${counts}` !== `${[CARDS, COLUMNS]}`) reject(new Error(`the board has ${counts}`));
        resolve({ ms: now - askedAt, bytes: data.length });
      } else if (text.startsWith('{"type":"error"')) {
        reject(new Error(text));
      }
    });
  });
}

/** What a page says of its start, in milliseconds since it was navigated to. */
export type Start = { cards: number; answered: number };

/** Runs in the page, before anything else: notes when cards are painted, and when one is selected. */
export function watchStart(): void {
  const start: Start = { cards: 0, answered: 0 };
  Object.assign(globalThis, { start });
  const painted = (then: () => void) =>
    requestAnimationFrame(() => {
      // A message comes after the frame.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = then;
      port2.postMessage(0);
    });
  const asked = { cards: false, answered: false };
  const note = (what: keyof Start, selector: string) => {
    if (asked[what] || !document.querySelector(selector)) return;
    asked[what] = true;
    painted(() => {
      start[what] = performance.now();
    });
  };
  new MutationObserver(() => {
    note("cards", "[data-card] .title");
    note("answered", "[data-card].selected");
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

/** How soon cards are painted and answer a click, and what the page holds in memory. */
export async function measureStart(): Promise<Figure[]> {
  const place = await Place.open();
  try {
    const crew = await place.board();
    // Chromium itself, and the server's answers, are warm.
    await visited(place, crew);
    const first: Start[] = [];
    const again: Start[] = [];
    const heaps: number[] = [];
    for (let at = 0; at < VISITS; at++) {
      const visit = await visited(place, crew);
      first.push(visit.first);
      again.push(visit.again);
      heaps.push(visit.heap);
    }
    const figure = (name: string, from: Start[], what: keyof Start, most?: number): Figure => {
      const all = from.map((start) => start[what]);
      const note = `median of ${VISITS}; longest ${Math.max(...all).toFixed(0)} ms`;
      return { name, unit: "ms", measured: median(all), ...(most && { most }), note };
    };
    const heap = { name: "heap after a collection", unit: "MB", measured: median(heaps) / 1e6 };
    return [
      figure("first cards painted", first, "cards", 700),
      figure("first click answered", first, "answered", 1_000),
      figure("first cards painted, known browser", again, "cards"),
      figure("first click answered, known browser", again, "answered"),
      { ...heap, most: 100, note: `median of ${VISITS}` },
    ];
  } finally {
    await place.close();
  }
}

/** A first visit with a new browser, and a second one. */
async function visited(place: Place, crew: Crew) {
  const page = await place.page(crew, 0);
  await page.addInitScript(watchStart);
  const first = await started(page, () =>
    page.goto(`/b/${crew.board.id}`, { waitUntil: "commit" }),
  );
  await page.locator(".connection.live").waitFor();
  const heap = await heapBytes(await page.context().newCDPSession(page));
  // What the board shows is kept a second after it has come.
  await page.waitForTimeout(2_000);
  const again = await started(page, () => page.reload({ waitUntil: "commit" }));
  await page.context().close();
  return { first, again, heap };
}

async function started(page: Page, navigate: () => Promise<unknown>): Promise<Start> {
  await navigate();
  const has = (what: keyof Start) =>
    page.waitForFunction((what) => (globalThis as unknown as { start: Start }).start[what], what);
  await has("cards");
  const at = await page.locator("[data-card]").first().boundingBox();
  await page.keyboard.down("Control");
  await page.mouse.click((at?.x ?? 0) + 20, (at?.y ?? 0) + 8);
  await page.keyboard.up("Control");
  await has("answered");
  return page.evaluate(() => (globalThis as unknown as { start: Start }).start);
}

/** What the scripts of a page hold once all is collected that nothing refers to. */
export async function heapBytes(session: CDPSession): Promise<number> {
  for (let at = 0; at < 3; at++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize;
}
