// Measures what the browser client is held to, against a real server, in Chromium.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { binary } from "../../packages/client/test/server.js";
import { measureBytes } from "./bytes.js";
import { measureCuts } from "./cuts.js";
import { type Figure, holds, table } from "./figures.js";
import { measureFrames } from "./frames.js";
import { measureLighthouse } from "./lighthouse.js";
import { measureMoves } from "./moves.js";
import { chromiumVersion } from "./place.js";
import { measureSnapshot, measureStart } from "./start.js";

const HELP = `Measures the browser client on a board of 4,000 cards in 250 columns.

  node bench/run.mjs [--only PART,PART] [--json FILE] [--rounds N]

  --only     of PARTS; all, where it is not given
  --json     where the figures go; target/bench-web.json
  --rounds   how often the network is cut; 100

The server is BOARDCAST_BIN or what cargo has built, with boardcast-sim beside it or at BOARDCAST_SIM;
with BOARDCAST_PAGES=dist the pages are those of web/app/dist and not those in the binary. The browser
is CHROMIUM or /usr/bin/chromium. Ends with 1 where a figure is not what it must be.`;

const top = fileURLToPath(new URL("../../../", import.meta.url));

/** Each part gives figures. */
function parts(rounds: number): Record<string, () => Promise<Figure[]>> {
  return {
    snapshot: measureSnapshot,
    start: measureStart,
    bytes: measureBytes,
    frames: measureFrames,
    moves: measureMoves,
    cuts: () => measureCuts(rounds),
    lighthouse: () => measureLighthouse(join(top, "target/lighthouse")),
  };
}

/** Carries it out; the exit code of the program. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      json: { type: "string", default: join(top, "target/bench-web.json") },
      rounds: { type: "string", default: "100" },
      help: { type: "boolean", default: false },
    },
  });
  const all = parts(Number(values.rounds));
  if (values.help) {
    console.log(HELP.replace("PARTS", Object.keys(all).join(", ")));
    return 0;
  }
  const chosen = values.only?.split(",") ?? Object.keys(all);
  const figures: Figure[] = [];
  for (const name of chosen) {
    const part = all[name];
    if (!part)
      throw new Error(`there is no part ${name}: there are ${Object.keys(all).join(", ")}`);
    const found = await part();
    console.log(`${name}\n${table(found)}\n`);
    figures.push(...found);
  }
  const about = {
    at: new Date().toISOString(),
    server: binary().includes("/release/") ? "release" : "debug",
    browser: chromiumVersion(),
    machine: { cpus: cpus().length, model: cpus()[0]?.model, memory_bytes: totalmem() },
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify({ ...about, figures }, null, 2)}\n`);
  const missed = figures.filter((figure) => !holds(figure));
  console.log(`${values.json}: ${figures.length} figures, ${missed.length} missed`);
  return missed.length > 0 ? 1 : 0;
}
