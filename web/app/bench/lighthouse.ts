// What Lighthouse says of the board page and of the sign-in page.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { type Figure, median } from "./figures.js";
import { chromiumPath, Place } from "./place.js";

/** The last one that runs in Node 20. It is installed when it is used: with it come 185 MB. */
const VERSION = "12.8.2";
const RUNS = 3;
const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;
const LEAST = { performance: 95, accessibility: 100, "best-practices": 100 };
/** The machines that Lighthouse makes believe: a desktop, and a phone with a slow network. */
const MACHINES = { desktop: ["--preset=desktop"], phone: [] };

/** Looks at both pages; `folder` is where Lighthouse is, or comes to. */
export async function measureLighthouse(folder: string): Promise<Figure[]> {
  const program = installed(folder);
  const place = await Place.open();
  const profile = mkdtempSync(join(tmpdir(), "boardcast-lighthouse-"));
  const port = await freePort();
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: ["--no-sandbox", `--remote-debugging-port=${port}`],
  });
  try {
    const crew = await place.board();
    const { firstStart } = place.server;
    const { url } = place;
    const figures = await looked(program, port, "sign-in", `${url}/sign-in`);
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(url + firstStart);
    await page.getByLabel("Name").fill("Ann Lee");
    await page.getByLabel("E-mail").fill("ann@example.org");
    await page.getByLabel("Password").fill("a long password");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Boards" }).waitFor();
    await page.goto("about:blank");
    figures.push(...(await looked(program, port, "board", `${url}/b/${crew.board.id}`)));
    return figures;
  } finally {
    await browser.close();
    await place.close();
    rmSync(profile, { recursive: true });
  }
}

function installed(folder: string): string {
  const program = join(folder, "node_modules/lighthouse/cli/index.js");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const flags = ["--no-audit", "--no-fund", "--loglevel", "error"];
  execFileSync("npm", ["install", ...flags, `lighthouse@${VERSION}`], { cwd: folder });
  return program;
}

type Score = Record<(typeof CATEGORIES)[number], number>;

/** The median of a few looks at a page, on each machine. */
async function looked(program: string, port: number, name: string, url: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [machine, flags] of Object.entries(MACHINES)) {
    const scores: Score[] = [];
    let failed: string[] = [];
    for (let run = 0; run < RUNS; run++) {
      const seen = await look(program, port, url, flags);
      scores.push(seen.score);
      failed = seen.failed;
    }
    for (const category of CATEGORIES) {
      const measured = median(scores.map((score) => score[category]));
      const least = LEAST[category];
      const note = measured < least ? failed.join(", ") : "";
      const about = `Lighthouse ${category}, ${name}, ${machine}`;
      figures.push({ name: about, unit: "", measured, least, ...(note && { note }) });
    }
  }
  return figures;
}

type Report = {
  categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { score: number | null; displayValue?: string }>;
};

/** One look: the scores, and what they are not whole for. */
async function look(
  program: string,
  port: number,
  url: string,
  flags: string[],
): Promise<{ score: Score; failed: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "boardcast-report-"));
  const file = join(folder, "report.json");
  try {
    const output = ["--output=json", `--output-path=${file}`, "--quiet"];
    const only = `--only-categories=${CATEGORIES.join(",")}`;
    const args = [program, url, `--port=${port}`, only, ...output, ...flags];
    await promisify(execFile)(process.execPath, args);
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    const failed: string[] = [];
    const score = {} as Score;
    for (const category of CATEGORIES) {
      const { score: all, auditRefs } = report.categories[category] ?? { score: 0, auditRefs: [] };
      score[category] = Math.round(100 * (all ?? 0));
      for (const { id, weight } of auditRefs) {
        const audit = report.audits[id];
        const isWhole = weight === 0 || !audit || audit.score === null || audit.score >= 0.9;
        if (!isWhole) failed.push(`${id} ${audit.displayValue ?? ""}`.trim());
      }
    }
    return { score, failed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
