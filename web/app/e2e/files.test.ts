// Files of cards: attached by button, drop and paste, shown, fetched, renamed and removed.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LiveBoard } from "../../packages/client/src/index.js";
import { card, opened, shows } from "./shown.js";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());
afterEach(async () => {
  expect(await site.closePages()).toEqual([]);
});

/** An image of one pixel, half transparent. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const text = (name: string, words: string) => {
  return { name, mimeType: "text/plain", buffer: Buffer.from(words) };
};
const image = { name: "plan.png", mimeType: "image/png", buffer: PNG };

const field = (page: Page) => page.getByRole("dialog").locator("input[type=file]");
const rows = (page: Page) => page.getByRole("dialog").locator(".files li");
const names = async (page: Page) => {
  const texts = await rows(page).locator("a").allInnerTexts();
  return texts.map((name) => name.trim());
};
const attached = (board: LiveBoard) => async () =>
  (board.get("cards", "One")?.attachments ?? []).map(({ name }) => name).sort();

/** Drops or pastes files, as the system hands them to a page. */
async function hand(page: Page, how: "drop" | "paste", name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ([how, name, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], name));
      const place = document.querySelector("[role=dialog]") ?? document.body;
      const options = { bubbles: true, cancelable: true };
      if (how === "paste") {
        place.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
        return;
      }
      for (const type of ["dragover", "drop"]) {
        place.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: data }));
      }
    },
    [how, name, [...bytes]] as const,
  );
}

test("files come by button, drop and paste, and others see, fetch, rename and remove them", async () => {
  const board = await site.board({ "To do": ["One"] }, { bob: "editor" });
  const ann = await opened(site, "ann", board);
  await card(ann, "One").click();
  const dialog = ann.getByRole("dialog");
  const button = dialog.getByRole("button", { name: "Attach files" });
  const [chooser] = await Promise.all([ann.waitForEvent("filechooser"), button.press("Enter")]);
  expect(chooser.isMultiple()).toBe(true);
  await chooser.setFiles([text("one.txt", "first words"), text("two.txt", "second"), image]);
  await shows(() => names(ann), ["one.txt", "two.txt", "plan.png"]);
  await hand(ann, "drop", "dropped.bin", Buffer.from([1, 2, 3]));
  await shows(async () => (await names(ann)).length, 4);
  await hand(ann, "paste", "image.png", PNG);
  await shows(attached(board), ["dropped.bin", "image.png", "one.txt", "plan.png", "two.txt"]);
  await shows(() => rows(ann).count(), 5);
  await rows(ann).filter({ hasText: "one.txt" }).getByText("11 byte").waitFor();
  // Two images, drawn from what the server has made of them.
  await shows(() => rows(ann).locator("canvas:visible").count(), 2);
  const drawn = () =>
    rows(ann)
      .locator("canvas")
      .first()
      .evaluate((canvas: HTMLCanvasElement) => [
        canvas.width,
        canvas.getContext("2d")?.getImageData(0, 0, 1, 1).data[3],
      ]);
  await shows(drawn, [1, 127]);

  const bob = await opened(site, "bob", board);
  await card(bob, "One").getByText("5 attachments").waitFor({ state: "attached" });
  await card(bob, "One").click();
  const [download] = await Promise.all([
    bob.waitForEvent("download"),
    bob.getByRole("link", { name: "Download one.txt" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("one.txt");
  expect(readFileSync(await download.path(), "utf8")).toBe("first words");
  await bob.getByRole("button", { name: "Rename one.txt" }).click();
  await bob.getByLabel("Name of the file").fill("notes.txt");
  await bob.getByLabel("Name of the file").press("Enter");
  await bob.getByRole("button", { name: "Remove two.txt" }).click();
  await shows(() => names(ann), ["notes.txt", "plan.png", "dropped.bin", "image.png"]);
});

test("what the server refuses is told, and can be tried again without attaching twice", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  await card(page, "One").click();
  const told = rows(page).getByRole("alert");
  await field(page).setInputFiles([text("empty.txt", ""), text("good.txt", "good")]);
  await told.getByText("empty.txt was not attached: ").waitFor();
  expect(await told.textContent()).toMatch(/empty/);
  // The next one goes on.
  await shows(attached(board), ["good.txt"]);
  await page.getByRole("button", { name: "Dismiss empty.txt" }).click();
  await told.waitFor({ state: "detached" });
  const large = { ...text("large.bin", ""), buffer: Buffer.alloc(26 * 1_024 * 1_024) };
  // The browser is handed its bytes one message after the other.
  await field(page).setInputFiles(large, { timeout: 40_000 });
  await told.getByText("large.bin was not attached: ").waitFor();
  expect(await told.textContent()).toMatch(/26214400|25 MiB/);
  await page.getByRole("button", { name: "Dismiss large.bin" }).click();

  // The answer to the first request is lost, after the server has kept the file.
  const files = "**/attachments?name=*";
  await page.route(files, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await field(page).setInputFiles(text("once.txt", "once"));
  await told.getByText("once.txt was not attached: ").waitFor();
  await page.unroute(files);
  await page.getByRole("button", { name: "Try once.txt again" }).click();
  await told.waitFor({ state: "detached" });
  await shows(() => rows(page).locator("progress").count(), 0);
  await shows(attached(board), ["good.txt", "once.txt"]);
});

test("files go one after the other, behind a closed card as well, and one can be given up", async () => {
  const board = await site.board({ "To do": ["One"] });
  const page = await opened(site, "ann", board);
  const begun: string[] = [];
  const doors: (() => void)[] = [];
  await page.route("**/attachments?name=*", async (route) => {
    begun.push(new URL(route.request().url()).searchParams.get("name") ?? "");
    await new Promise<void>((resolve) => doors.push(resolve));
    await route.continue().catch(() => {});
  });
  await card(page, "One").click();
  await field(page).setInputFiles(["a", "b", "c"].map((name) => text(name, name)));
  await shows(async () => begun, ["a"]);
  await page.getByRole("progressbar", { name: "Sending a" }).waitFor();
  await rows(page).nth(1).getByText("waits for the files").waitFor();
  await page.getByRole("button", { name: "Do not attach a" }).click();
  await shows(async () => begun, ["a", "b"]);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  doors[1]?.();
  await shows(async () => begun, ["a", "b", "c"]);
  doors[2]?.();
  doors[0]?.();
  await shows(attached(board), ["b", "c"]);
  await card(page, "One").getByText("2 attachments").waitFor({ state: "attached" });
});

test("who only looks sees and fetches files and changes none", async () => {
  const board = await site.board({ "To do": ["One"] }, { eve: "viewer" });
  const ann = await opened(site, "ann", board);
  await card(ann, "One").click();
  await field(ann).setInputFiles(image);
  await shows(attached(board), ["plan.png"]);
  const eve = await opened(site, "eve", board);
  await card(eve, "One").click();
  await shows(() => names(eve), ["plan.png"]);
  await shows(() => rows(eve).locator("canvas:visible").count(), 1);
  await hand(eve, "drop", "hers.png", PNG);
  await hand(eve, "paste", "hers.png", PNG);
  expect(await rows(eve).count()).toBe(1);
  expect(await rows(eve).getByRole("button").count()).toBe(0);
  expect(await field(eve).count()).toBe(0);
  const [download] = await Promise.all([
    eve.waitForEvent("download"),
    eve.getByRole("link", { name: "Download plan.png" }).click(),
  ]);
  expect(readFileSync(await download.path())).toEqual(PNG);
  expect(await attached(board)()).toEqual(["plan.png"]);
});
