// A phone: one column at a time, and cards that are dragged with a finger.
import type { CDPSession, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { card, column, shows, state, titles } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };

async function phone(board: { id: string }): Promise<[Page, Finger]> {
  const page = await site.person("ann", PHONE);
  await page.goto(`/b/${board.id}`);
  await state(page).getByText("Live").waitFor();
  return [page, new Finger(await page.context().newCDPSession(page))];
}

/** One finger on the screen. */
class Finger {
  constructor(private readonly session: CDPSession) {}

  private touch(type: "touchStart" | "touchMove" | "touchEnd", at?: [number, number]) {
    const touchPoints = at ? [{ x: at[0], y: at[1] }] : [];
    return this.session.send("Input.dispatchTouchEvent", { type, touchPoints });
  }

  down(x: number, y: number) {
    return this.touch("touchStart", [x, y]);
  }

  async move(from: [number, number], to: [number, number], steps = 8) {
    for (let step = 1; step <= steps; step++) {
      const part = (a: number, b: number) => a + ((b - a) * step) / steps;
      await this.touch("touchMove", [part(from[0], to[0]), part(from[1], to[1])]);
    }
  }

  up() {
    return this.touch("touchEnd");
  }
}

async function middle(page: Page, title: string): Promise<[number, number]> {
  const box = await card(page, title).boundingBox();
  if (!box) throw new Error(`${title} is not in view`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

test("a phone shows one column at a time, and a swipe goes to the next", async () => {
  const board = await site.board({ "To do": ["One"], Doing: ["Two"], Done: ["Three"] });
  const [page, finger] = await phone(board);
  const inView = () =>
    page.locator(".column").evaluateAll((all) =>
      all
        .filter((one) => {
          const { left, right } = one.getBoundingClientRect();
          return left >= 0 && right <= innerWidth;
        })
        .map((one) => one.getAttribute("aria-label")),
    );
  await shows(inView, ["To do"]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await finger.down(340, 500);
  await finger.move([340, 500], [60, 500]);
  await finger.up();
  await shows(inView, ["Doing"]);
  expect(board.version).toBe(2);
});

test("a short press takes a card up, and it goes where the finger leaves it", async () => {
  const board = await site.board({ "To do": ["One", "Two", "Three"], Done: [] });
  const [page, finger] = await phone(board);
  const from = await middle(page, "One");
  const to = await middle(page, "Three");
  await finger.down(...from);
  const held = page.locator(".card.held");
  await held.waitFor();
  expect(await page.locator("#announcer").textContent()).toBe("One taken up");
  await finger.move(from, [to[0], to[1] + 12]);
  await page.locator('[data-drop="after"]').waitFor();
  await finger.up();
  await held.waitFor({ state: "detached" });
  await shows(() => titles(page, "To do"), ["Two", "Three", "One"]);
  await shows(async () => board.cards("To-do"), ["Two", "Three", "One"]);
  expect(await page.getByRole("dialog").count()).toBe(0);

  // At the edge of the screen the board goes to the next column.
  const two = await middle(page, "Two");
  await finger.down(...two);
  await held.waitFor();
  await finger.move(two, [380, 300]);
  await shows(async () => {
    const box = await column(page, "Done").boundingBox();
    return box !== null && box.x >= 0 && box.x + box.width <= 390;
  }, true);
  await finger.move([380, 300], [200, 130]);
  await finger.up();
  await shows(() => titles(page, "Done"), ["Two"]);
});

test("a swipe over cards scrolls and takes nothing up, and a tap opens", async () => {
  const many = Array.from({ length: 30 }, (_, at) => `Card ${at}`);
  const board = await site.board({ "To do": many });
  const [page, finger] = await phone(board);
  const before = board.version;
  await finger.down(180, 600);
  await finger.move([180, 600], [180, 200]);
  expect(await page.locator(".card.held").count()).toBe(0);
  await finger.up();
  await shows(async () => {
    return (await page.locator(".lane").evaluate((lane) => lane.scrollTop)) > 100;
  }, true);
  expect(board.version).toBe(before);
  await page.locator(".card").nth(6).tap();
  await page.getByRole("dialog").waitFor();
});
