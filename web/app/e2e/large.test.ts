// A board of 4,000 cards in 250 columns: what is rendered is what is seen and what has changed.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { Site } from "./site.js";

const COLUMNS = 250;
const CARDS = 16;
let site: Site;
let board: LiveBoard;
let page: Page;

/** What React has done in the page: the cards that it rendered, and how often it changed anything. */
type Done = { rendered: string[]; commits: number };

/** Counts the components that React renders with a card's id as their property. */
function countRenders(): void {
  type Fiber = {
    flags: number;
    memoizedProps: { id?: string; first?: boolean } | null;
    alternate: Fiber | null;
    child: Fiber | null;
    sibling: Fiber | null;
  };
  const done: Done = { rendered: [], commits: 0 };
  const walk = (fiber: Fiber): void => {
    // Below a fiber that has kept its child nothing was done in this commit.
    if (fiber.child === fiber.alternate?.child) return;
    for (let at = fiber.child; at; at = at.sibling) {
      const { memoizedProps: props, flags } = at;
      // The flag says that the component was called.
      if (props?.id && props.first !== undefined && flags & 1) done.rendered.push(props.id);
      walk(at);
    }
  };
  Object.assign(globalThis, {
    done,
    __REACT_DEVTOOLS_GLOBAL_HOOK__: {
      isDisabled: false,
      supportsFiber: true,
      renderers: new Map(),
      inject: () => 1,
      onCommitFiberUnmount() {},
      onCommitFiberRoot: (_: number, root: { current: Fiber }) => {
        done.commits += 1;
        walk(root.current);
      },
    },
  });
}

beforeAll(async () => {
  site = await Site.start();
  const columns = Array.from({ length: COLUMNS }, (_, at) => `Column ${at}`);
  const cards = (column: string) =>
    Array.from({ length: CARDS }, (_, at) => `${column} card ${at}`);
  board = await site.board(Object.fromEntries(columns.map((column) => [column, cards(column)])));
  page = await site.person("ann", { viewport: { width: 1280, height: 800 } });
  await page.addInitScript(countRenders);
  await page.goto(`/b/${board.id}`);
  await page.getByText("Column 0 card 0").waitFor();
});
afterAll(() => site.stop());

/** What React has done since this was asked last. */
function doneSince(): Promise<Done> {
  return page.evaluate(() => {
    const { done } = globalThis as unknown as { done: Done };
    return { rendered: done.rendered.splice(0), commits: done.commits };
  });
}

const titleOf = (id: string) => page.locator(`[data-card="${id}"] .title`).textContent();

test("only what is in view is in the document", async () => {
  expect(board.all("cards").size).toBe(COLUMNS * CARDS);
  expect(await page.locator(".column").count()).toBeLessThan(12);
  expect(await page.locator("*").count()).toBeLessThan(2_000);
});

test("a change of one card renders one card", async () => {
  const [id = "", other = ""] = board.cards("Column-0");
  await doneSince();
  await board.submit({ type: "card.set", card: id, set: { title: "Changed" } }).live();
  await expect.poll(() => titleOf(id)).toBe("Changed");
  await board.submit({ type: "card.set", card: id, set: { title: "Again" } }).live();
  await expect.poll(() => titleOf(id)).toBe("Again");
  const { rendered } = await doneSince();
  expect(rendered).toContain(id);
  expect(new Set(rendered)).toEqual(new Set([id]));
  expect(await titleOf(other)).toBe("Column 0 card 1");
});

test("changes of cards that are not in view change nothing in the page", async () => {
  const [near = ""] = board.cards("Column-0");
  const before = await doneSince();
  for (let at = 100; at < 200; at++) {
    const [far = ""] = board.cards(`Column-${at}`);
    board.submit({ type: "card.set", card: far, set: { title: `Far ${at}` } });
    board.submit({ type: "card.move", card: far, column: `Column-${at + 1}`, place: {} });
  }
  // The last one is in view: with it, all others have come.
  await board.submit({ type: "card.set", card: near, set: { title: "Near" } }).live();
  await expect.poll(() => titleOf(near)).toBe("Near");
  const after = await doneSince();
  expect(new Set(after.rendered)).toEqual(new Set([near]));
  expect(after.commits - before.commits).toBeLessThanOrEqual(2);
});

test("scrolling renders each card once that comes into view", async () => {
  await page.mouse.move(640, 400);
  await doneSince();
  const last = page.locator(".column").last();
  const reached = async () => Number((await last.getAttribute("data-column"))?.split("-")[1]);
  while ((await reached()) < 60) await page.mouse.wheel(200, 0);
  await expect.poll(() => last.locator(".card").count()).toBeGreaterThan(9);
  const { rendered } = await doneSince();
  expect(rendered.length).toBeGreaterThan(30 * 10);
  expect(rendered.length).toBe(new Set(rendered).size);
  await page.locator(".columns").evaluate((columns) => columns.scrollTo({ left: 0 }));
  await page.locator(`[data-card="${board.cards("Column-0")[0]}"]`).waitFor();
});

test("the keyboard reaches cards that are far away", async () => {
  const first = board.cards("Column-0")[0];
  await page.locator(`[data-card="${first}"]`).focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-card"));
  for (let column = 1; column <= 20; column++) {
    await page.keyboard.press("ArrowRight");
    await expect.poll(focused).toBe(board.cards(`Column-${column}`)[0]);
  }
});
