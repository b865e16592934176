// The page in a real browser, from the real server.
import { existsSync, readFileSync } from "node:fs";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { WebSocket } from "ws";
import { Client, type Command, type LiveBoard } from "../../packages/client/src/index.js";
import { Door, TestServer } from "../../packages/client/test/server.js";

const BUILT = new URL("../dist/index.html", import.meta.url);
const PASSWORD = "a long password";

export class Site {
  private readonly contexts: BrowserContext[] = [];
  private readonly clients: Client[] = [];
  /** What pages said on their console that is an error. */
  readonly errors: string[] = [];

  private constructor(
    readonly server: TestServer,
    /** What is between the pages and the server. */
    readonly door: Door,
    private readonly browser: Browser,
    private readonly base: string,
    private readonly ports: number[],
  ) {}

  /** Where pages find the server: at the door, below a path or not. */
  get url(): string {
    return this.door.url + this.base;
  }

  /** A server that is found below `base`, such as `/boards`; by default, at the root of its host. */
  static async start(base = "", ...more: string[]): Promise<Site> {
    const ports: number[] = [];
    const door = await Door.open(() => ports[0] ?? 0);
    const flags = ["--drain-ms", "300", "--return-window-ms", "300", ...more];
    if (base) flags.push("--public-url", door.url + base);
    const server = await TestServer.start(...flags);
    ports.push(server.port);
    const served = await (await fetch(server.url)).text();
    if (served.replaceAll(`="${base}/`, '="/') !== readFileSync(BUILT, "utf8")) {
      await server.stop();
      throw new Error("the server holds another build of the page: run `cargo build -p boardcast`");
    }
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    if (!existsSync(executablePath)) {
      throw new Error(
        `there is no browser at ${executablePath}: install chromium, or set CHROMIUM`,
      );
    }
    // A page that is brought around the door has no address: its requests would not be local ones.
    const args = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"];
    const browser = await chromium.launch({ executablePath, args });
    return new Site(server, door, browser, base, ports);
  }

  /** A link that the server has printed, as it is at the door. */
  atDoor(link: string): string {
    const { pathname, hash } = new URL(link);
    return this.url + pathname + hash;
  }

  /** Brings the page itself around the door, as a browser does that has kept it. */
  async keepPage(page: Page): Promise<void> {
    const isPage = ({ pathname }: URL) => !/^\/(api|ws)\b/.test(pathname);
    await page.context().route(isPage, async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: this.server.url + pathname }) });
    });
  }

  /** From now on the door leads to another port. */
  leadTo(port: number): void {
    this.ports[0] = port;
    this.door.cut();
  }

  /** A new browser of somebody who has not been here. It keeps the page only where that is asked for. */
  async stranger(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: this.url,
      serviceWorkers: "block",
      ...options,
    });
    context.setDefaultTimeout(10_000);
    this.contexts.push(context);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(`${error.stack}`));
    return page;
  }

  /** A new browser of somebody who has a token, and is signed in. */
  person(user: string, options: BrowserContextOptions = {}): Promise<Page> {
    return this.withToken(user, this.server.token(user), options);
  }

  /** A new browser of an administrator of the server. */
  administrator(options: BrowserContextOptions = {}): Promise<Page> {
    return this.withToken("root", this.server.token("root", "--role", "admin"), options);
  }

  private async withToken(
    user: string,
    token: string,
    options: BrowserContextOptions,
  ): Promise<Page> {
    const page = await this.stranger(options);
    await page.context().addInitScript(
      ([user, token]) => {
        localStorage.setItem("boardcast-user", `${user}`);
        sessionStorage.setItem("boardcast-token", `${token}`);
      },
      [user, token],
    );
    return page;
  }

  /** A board of ann's that was made by a program, with columns, cards and members of these roles. */
  async board(
    columns: Record<string, string[]>,
    members: Record<string, "viewer" | "editor"> = {},
  ): Promise<LiveBoard> {
    const { url } = this.server;
    const client = await Client.open({ url, token: this.server.token("ann"), WebSocket });
    this.clients.push(client);
    const board = client.board(await client.createBoard("Release 1"));
    await board.ready();
    const commands: Command[] = Object.entries(members).map(([user, role]) => {
      return { type: "member.add", user, role };
    });
    for (const [column, titles] of Object.entries(columns)) {
      commands.push({ type: "column.create", column: idOf(column), title: column });
      for (const title of titles) {
        const place = { column: idOf(column), title };
        commands.push({ type: "card.create", card: idOf(title), ...place });
      }
    }
    for (let at = 0; at < commands.length; at += 100) board.submit(commands.slice(at, at + 100));
    await board.submit({ type: "board.set", background: "ocean" }).saved();
    return board;
  }

  /** Makes the first administrator, as the link of the server asks. */
  async firstStart(page: Page): Promise<void> {
    await page.goto(this.server.firstStart);
    await page.getByLabel("Name").fill("Ann Lee");
    await page.getByLabel("E-mail").fill("ann@example.org");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Boards" }).waitFor();
  }

  async signIn(page: Page): Promise<void> {
    await page.goto("/sign-in");
    await page.getByLabel("E-mail").fill("ann@example.org");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
  }

  /** Closes all browsers, and says what went wrong in them. */
  async closePages(): Promise<string[]> {
    for (const context of this.contexts.splice(0)) {
      await context.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
    }
    for (const client of this.clients.splice(0)) client.close();
    return this.errors.splice(0);
  }

  async stop(): Promise<void> {
    await this.closePages();
    await this.browser.close();
    await this.door.stop();
    await this.server.stop();
  }
}

/** The id of what has this title. */
export function idOf(title: string): string {
  return title.replaceAll(" ", "-").replaceAll(".", "_").slice(0, 22);
}
