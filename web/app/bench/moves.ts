// How long a move takes from a key in one browser to a painted card in another.
import type { Page } from "playwright-core";
import { newId } from "../../packages/client/src/index.js";
import { type Figure, quantile } from "./figures.js";
import { type Crew, Place, pause } from "./place.js";

const CLIENTS = 200;
const EDITS_PER_S = 20;
const MOVES = 150;
/** How long a move may take before it counts as lost, in milliseconds. */
const LOST_MS = 3_000;

/** When something happened in a page, in milliseconds since 1970, by the clock that all pages share. */
type Watched = { pressed: number; column: string; at: number };

/** Runs in the page: notes when a key was pressed, and when a card is painted in another column. */
function watchCard(card: string): void {
  const watched: Watched = { pressed: 0, column: "", at: 0 };
  Object.assign(globalThis, { watched });
  const { timeOrigin } = performance;
  addEventListener(
    "keydown",
    (event) => {
      if (event.key.startsWith("Arrow")) watched.pressed = timeOrigin + event.timeStamp;
    },
    true,
  );
  let seen = "";
  const look = () => {
    const tile = document.querySelector(`[data-card="${card}"]`);
    const column = tile?.closest<HTMLElement>("[data-column]")?.dataset.column ?? seen;
    if (column === seen) return;
    seen = column;
    requestAnimationFrame(() => {
      // A message comes after the frame.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () =>
        Object.assign(watched, { column, at: timeOrigin + performance.now() });
      port2.postMessage(0);
    });
  };
  look();
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
}

/** Moves a card to and fro while simulated clients edit the board. */
export async function measureMoves(): Promise<Figure[]> {
  const place = await Place.open();
  try {
    const crew = await place.crew(CLIENTS, EDITS_PER_S, 300);
    const [mover, watcher] = [await place.page(crew, 0), await place.page(crew, 1)];
    const own: number[] = [];
    const others: number[] = [];
    let lost = 0;
    while (others.length < MOVES && lost < 10) {
      // Somebody may take the card or its column away: then it goes on with another one.
      const card = await opened(crew, mover, watcher);
      while (others.length < MOVES) {
        const took = await moved(crew, card, mover, watcher, others.length % 2 === 0);
        if (!took) {
          lost += 1;
          break;
        }
        own.push(took.own);
        others.push(took.other);
        await pause(50 + Math.random() * 200);
      }
    }
    await crew.stop();
    const figure = (name: string, all: number[], share: number, most?: number): Figure => {
      const limit = most && { most };
      return { name, unit: "ms", measured: quantile(all, share), ...limit };
    };
    const note = `${others.length} moves; ${lost} cards were taken away`;
    return [
      { ...figure("move to the other browser, median", others, 0.5, 50), note },
      figure("move to the other browser, p95", others, 0.95, 100),
      figure("move in one's own browser, median", own, 0.5),
      figure("move in one's own browser, p95", own, 0.95),
    ];
  } finally {
    await place.close();
  }
}

/** Makes a card at the top of the first column, which both pages see. */
async function opened(crew: Crew, ...pages: Page[]): Promise<string> {
  const { board } = crew;
  const [column] = board.columns();
  if (!column) throw new Error("the board has no columns");
  const [first] = board.cards(column.id);
  const card = newId();
  const place = first ? { before: first } : {};
  const at = { column: column.id, title: "Moved to and fro", place };
  await board.submit({ type: "card.create", card, ...at }).live();
  for (const page of pages) {
    await page.goto(`/b/${board.id}`);
    await page.locator(".connection.live").waitFor();
    await page.locator(`[data-card="${card}"]`).waitFor();
    await page.evaluate(watchCard, card);
  }
  await pages[0]?.locator(`[data-card="${card}"]`).focus();
  return card;
}

/** One move; nothing, where it does not arrive in the column beside. */
async function moved(
  crew: Crew,
  card: string,
  mover: Page,
  watcher: Page,
  forth: boolean,
): Promise<{ own: number; other: number } | undefined> {
  const columns = crew.board.columns();
  const from = columns.findIndex(({ id }) => id === crew.board.get("cards", card)?.column);
  const to = columns[from + (forth ? 1 : -1)]?.id;
  if (from < 0 || !to) return undefined;
  await mover.keyboard.press(forth ? "Alt+ArrowRight" : "Alt+ArrowLeft");
  const arrived = async (page: Page): Promise<Watched> => {
    const is = (column: string) =>
      (globalThis as unknown as { watched: Watched }).watched.column === column;
    await page.waitForFunction(is, to, { timeout: LOST_MS });
    return page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched);
  };
  try {
    const [own, other] = await Promise.all([arrived(mover), arrived(watcher)]);
    return { own: own.at - own.pressed, other: other.at - own.pressed };
  } catch {
    return undefined;
  }
}
