// Takes the pictures of the README from the sample board, in Chromium, from a server of its own.
// The server's binary is BOARDCAST_BIN or what cargo has built; the browser is CHROMIUM.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const top = fileURLToPath(new URL("../../../", import.meta.url));
const built = ["target/release/boardcast", "target/debug/boardcast"].map((path) => join(top, path));
const binary = [process.env.BOARDCAST_BIN ?? "", ...built].find((path) => path && existsSync(path));
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!binary) throw new Error("there is no server: run `cargo build -p boardcast`");
if (!existsSync(browserPath))
  throw new Error(`there is no browser at ${browserPath}: set CHROMIUM`);

/** The time at which the pictures are taken, so that what is due looks the same each time. */
const NOW = new Date("2026-03-04T12:00:00Z");
const BOARD = "sample-bike-workshop";
const DESKTOP = { viewport: { width: 1440, height: 860 } };
const PHONE = {
  viewport: { width: 390, height: 800 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};
const PICTURES = [
  { name: "board", user: "mira", options: { ...DESKTOP, colorScheme: "light" } },
  { name: "board-dark", user: "mira", options: { ...DESKTOP, colorScheme: "dark" } },
  { name: "board-phone", user: "mira", options: { ...PHONE, colorScheme: "light" } },
  { name: "card", user: "mira", options: { ...DESKTOP, colorScheme: "light" }, open: true },
];

const folder = mkdtempSync(join(tmpdir(), "boardcast-pictures-"));
const run = (...args) =>
  execFileSync(binary, args, { stdio: ["ignore", "pipe", "inherit"] })
    .toString()
    .trim();
run("import", "json", join(top, "server/assets/sample-board.json"), "--data-dir", folder);
const server = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data-dir", folder], {
  stdio: ["ignore", "ignore", "pipe"],
});
let browser;
try {
  const url = await new Promise((resolve, reject) => {
    let told = "";
    server.stderr.on("data", (chunk) => {
      told += chunk;
      const found = /listening on (http:\S+)\n/.exec(told);
      if (found) resolve(found[1]);
    });
    server.on("exit", () => reject(new Error(`the server ended: ${told}`)));
  });
  browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });

  /** A page in which somebody looks at the board. */
  const opened = async (user, options, path = "") => {
    const context = await browser.newContext({ baseURL: url, locale: "en-GB", ...options });
    const token = run("token", "--data-dir", folder, "--user", user);
    await context.addInitScript(
      ([user, token]) => {
        localStorage.setItem("boardcast-user", user);
        sessionStorage.setItem("boardcast-token", token);
      },
      [user, token],
    );
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    await page.goto(`/b/${BOARD}${path}`);
    await page.locator(".connection.live").waitFor();
    return page;
  };

  // Somebody else has the second card of the second column open.
  const other = await opened("jonas", DESKTOP);
  const second = other.locator(".column").nth(1).locator(".card").nth(1);
  await second.click();
  await other.getByRole("dialog").waitFor();
  const withMost = await cardWithMost(other);

  for (const { name, user, options, open } of PICTURES) {
    const page = await opened(user, options, open ? `/c/${withMost}` : "");
    if (open) await page.locator("[role=dialog] .comments li").first().waitFor();
    else await page.locator(".others").first().waitFor({ state: "attached" });
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
    await page.screenshot({ path: join(top, "docs", `${name}.png`) });
    await page.context().close();
    console.log(`docs/${name}.png`);
  }
} finally {
  await browser?.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true });
}

/** The card in view that has the most to show, comments among it. */
async function cardWithMost(page) {
  const cards = page.locator("[data-card]:has(.lucide-message-square)");
  const found = await cards.evaluateAll((all) =>
    all.map((card) => [card.querySelectorAll(".badge").length, card.getAttribute("data-card")]),
  );
  return found.sort(([a], [b]) => b - a)[0][1];
}
