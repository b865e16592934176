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

/** Counts the components that React renders with a card's id as their property. */
function countRenders(): void {
  type Fiber = {
    flags: number;
    tag: number;
    memoizedProps: { id?: string; first?: boolean } | null;
    alternate: Fiber | null;
    child: Fiber | null;
    sibling: Fiber | null;
  };
  const rendered: string[] = [];
  const walk = (fiber: Fiber | null): void => {
    for (let at = fiber; at; at = at.sibling) {
      const { memoizedProps: props, flags, alternate } = at;
      // The flag says that the component was called in this commit; old fibers keep theirs.
      if (props?.id && props.first !== undefined && flags & 1 && alternate !== at) {
        rendered.push(props.id);
      }
      walk(at.child);
    }
  };
  Object.assign(globalThis, {
    rendered,
    __REACT_DEVTOOLS_GLOBAL_HOOK__: {
      isDisabled: false,
      supportsFiber: true,
      renderers: new Map(),
      inject: () => 1,
      onCommitFiberUnmount() {},
      onCommitFiberRoot: (_: number, root: { current: Fiber }) => walk(root.current),
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

const titleOf = (id: string) => page.locator(`[data-card="${id}"] .title`).textContent();

test("only what is in view is in the document", async () => {
  expect(board.all("cards").size).toBe(COLUMNS * CARDS);
  expect(await page.locator(".column").count()).toBeLessThan(12);
  expect(await page.locator("*").count()).toBeLessThan(2_000);
});

test("a change of one card renders one card", async () => {
  const [id = "", other = ""] = board.cards("Column-0");
  await page.evaluate(() => (globalThis as unknown as { rendered: string[] }).rendered.splice(0));
  await board.submit({ type: "card.set", card: id, set: { title: "Changed" } }).live();
  await expect.poll(() => titleOf(id)).toBe("Changed");
  await board.submit({ type: "card.set", card: id, set: { title: "Again" } }).live();
  await expect.poll(() => titleOf(id)).toBe("Again");
  const rendered = await page.evaluate(() => {
    return (globalThis as unknown as { rendered: string[] }).rendered;
  });
  expect(rendered).toContain(id);
  expect(new Set(rendered)).toEqual(new Set([id]));
  expect(await titleOf(other)).toBe("Column 0 card 1");
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
