// Where it is measured: a server with a large board, simulated clients, and browsers.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type PreviewServer, preview } from "vite";
import { WebSocket } from "ws";
import { Client, type LiveBoard } from "../../packages/client/src/index.js";
import { binary, TestServer } from "../../packages/client/test/server.js";

export const CARDS = 4_000;
export const COLUMNS = 250;
/** The window in which the board is looked at. */
export const VIEWPORT = { width: 1280, height: 800 };

/** How long simulated clients may take to make their board and to come, in milliseconds. */
const CREW_MS = 120_000;

/** The browser that is measured. */
export function chromiumPath(): string {
  const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(path)) {
    throw new Error(`there is no browser at ${path}: install chromium, or set CHROMIUM`);
  }
  return path;
}

export function chromiumVersion(): string {
  return execFileSync(chromiumPath(), ["--version"]).toString().trim();
}

/** Clients of `boardcast-sim` on a board that it has made. */
export type Crew = {
  board: LiveBoard;
  /** Tokens of members of the board, the first of whom is its admin; member n is `sim-N`. */
  tokens: string[];
  /** Ends once all have compared what they have. Throws where one found a promise broken. */
  ended(): Promise<void>;
  /** Ends what they do before its time. */
  stop(): Promise<void>;
};

export class Place {
  private readonly clients: Client[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "boardcast-bench-"));

  private constructor(
    readonly server: TestServer,
    readonly browser: Browser,
    private readonly pages: PreviewServer | undefined,
  ) {}

  static async open(): Promise<Place> {
    const server = await TestServer.start("--drain-ms", "300", "--return-window-ms", "300");
    const options = { executablePath: chromiumPath(), args: ["--no-sandbox"] };
    const browser = await chromium.launch(options);
    const pages = process.env.BOARDCAST_PAGES === "dist" ? await built(server.url) : undefined;
    return new Place(server, browser, pages);
  }

  /** Where pages are. */
  get url(): string {
    return this.pages?.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? this.server.url;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.browser.close();
    await this.pages?.close();
    await this.server.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** A browser of its own, in which a member of a crew is signed in. */
  async page(crew: Crew, member: number, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: this.url,
      viewport: VIEWPORT,
      ...options,
    });
    await context.addInitScript(
      ([user, token]) => {
        localStorage.setItem("boardcast-user", `${user}`);
        sessionStorage.setItem("boardcast-token", `${token}`);
      },
      [`sim-${member + 1}`, crew.tokens[member]],
    );
    return context.newPage();
  }

  /** Simulated clients on a board of 4,000 cards that they have made, once they are all there. */
  async crew(clients: number, perSecond: number, seconds: number): Promise<Crew> {
    const tokens = this.server.token("sim", "--count", `${Math.max(clients, 2)}`).split("\n");
    const file = join(this.folder, "tokens");
    writeFileSync(file, tokens.join("\n"));
    const sim = this.simulate([
      ...["--token-file", file, "--clients", `${clients}`, "--boards", "1"],
      ...["--rate", `${perSecond}`, "--duration", `${seconds}s`],
      ...["--cards", `${CARDS}`, "--columns", `${COLUMNS}`, "--replicas", "sample"],
    ]);
    const board = await this.madeBy(tokens[0] ?? "", sim);
    await until(CREW_MS, "the simulated clients to come", () => {
      sim.check();
      return (board.people.count ?? 0) >= clients;
    });
    return { board, tokens, ended: sim.ended, stop: sim.stop };
  }

  /** The board alone, on which nobody is. */
  async board(): Promise<Crew> {
    const crew = await this.crew(1, 0, 1);
    await crew.ended();
    // The second member has not been on it.
    await crew.board.submit({ type: "member.add", user: "sim-2", role: "editor" }).saved();
    return crew;
  }

  private simulate(args: string[]) {
    const path = process.env.BOARDCAST_SIM ?? join(dirname(binary()), "boardcast-sim");
    if (!existsSync(path)) throw new Error(`${path} is missing: run \`cargo build --workspace\``);
    const child: ChildProcess = spawn(path, ["run", "--server", this.server.url, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let told = "";
    child.stdout?.on("data", (chunk) => {
      told += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      told += chunk;
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    const ended = async () => {
      const result = await code;
      process.removeListener("exit", kill);
      if (result !== 0) throw new Error(`boardcast-sim ended with ${result}: ${told}`);
    };
    const stop = () => {
      child.kill("SIGINT");
      return ended();
    };
    const check = () => {
      if (child.exitCode) throw new Error(`boardcast-sim ended with ${child.exitCode}: ${told}`);
    };
    return { ended, stop, check };
  }

  /** The board that simulated clients make, once all of it is there. */
  private async madeBy(token: string, sim: { check(): void }): Promise<LiveBoard> {
    const client = await Client.open({ url: this.server.url, token, WebSocket });
    this.clients.push(client);
    let id: string | undefined;
    await until(CREW_MS, "a board", async () => {
      sim.check();
      id = (await client.boards()).boards[0]?.board;
      return id !== undefined;
    });
    const board = client.board(id ?? "");
    await board.ready();
    await until(CREW_MS, "the cards of the board", () => {
      sim.check();
      return board.all("cards").size >= CARDS;
    });
    return board;
  }
}

/** Serves `web/app/dist` before a server, without building it into the binary. */
function built(server: string): Promise<PreviewServer> {
  process.env.BOARDCAST_URL = server;
  const root = fileURLToPath(new URL("..", import.meta.url));
  return preview({ root, preview: { host: "127.0.0.1", port: 0 }, logLevel: "error" });
}

/** Ends when an answer is yes. */
export async function until(
  ms: number,
  what: string,
  ask: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
