// The real server, and a way to cut its connections.
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The server's binary: `BOARDCAST_BIN`, or what cargo has built. */
export function binary(): string {
  const top = fileURLToPath(new URL("../../../../", import.meta.url));
  const built = ["target/release/boardcast", "target/debug/boardcast"].map((path) =>
    join(top, path),
  );
  const found = [process.env.BOARDCAST_BIN ?? "", ...built].find(
    (path) => path && existsSync(path),
  );
  if (!found) throw new Error("there is no server to test with: run `cargo build -p boardcast`");
  return found;
}

/** A server on a port of its own, with its data in a folder of its own. */
export class TestServer {
  private child: ChildProcess | undefined;
  port = 0;
  /** The path of the link that makes the first administrator, as long as there is none. */
  firstStart = "";

  private constructor(
    private readonly folder: string,
    private readonly flags: string[],
  ) {}

  static async start(...flags: string[]): Promise<TestServer> {
    const server = new TestServer(mkdtempSync(join(tmpdir(), "boardcast-")), flags);
    await server.run(0);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  token(user: string, ...flags: string[]): string {
    return this.command("token", "--data-dir", this.folder, "--user", user, ...flags);
  }

  /** A link that signs an administrator in, once and within 30 seconds. */
  link(user: string): string {
    const who = ["--user", user, "--role", "admin"];
    return this.command("link", "--server", this.url, "--data-dir", this.folder, ...who);
  }

  /** A link by which a person who is added sets a password. */
  passwordLink(name: string, email: string): string {
    const token = this.token("root", "--role", "admin");
    const where = ["--server", this.url, "--token", token];
    return this.command("user", "add", email, "--name", name, ...where);
  }

  /** What a command of the binary prints. */
  private command(...args: string[]): string {
    const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
    return execFileSync(binary(), args, { stdio }).toString().trim();
  }

  /** Ends it as a power cut would. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  /** Starts one that was killed again, on the same port. */
  startAgain(): Promise<void> {
    return this.run(this.port);
  }

  /** Ends it as a power cut would, and starts it again on the same port. */
  async killAndRestart(): Promise<void> {
    await this.kill();
    await this.startAgain();
  }

  /** Ends it as an administrator would, and starts it again on the same port. */
  async stopAndRestart(): Promise<void> {
    await this.end("SIGTERM");
    await this.run(this.port);
  }

  async stop(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }

  private run(port: number): Promise<void> {
    const listen = `127.0.0.1:${port}`;
    const args = ["serve", "--listen", listen, "--data-dir", this.folder, ...this.flags];
    const child = spawn(binary(), args, { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    // A run of tests that is given up leaves no server behind.
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("close", () => process.removeListener("exit", kill));
    return new Promise((resolve, reject) => {
      let told = "";
      child.stderr?.on("data", (chunk) => {
        told += chunk;
        const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(told);
        if (found) this.port = Number(found[1]);
        this.firstStart = /(\/first-start#link=\S+)/.exec(told)?.[1] ?? "";
        if (found) resolve();
      });
      child.on("exit", () => reject(new Error(`the server ended: ${told}`)));
    });
  }

  private end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child) return Promise.resolve();
    this.child = undefined;
    return new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.on("exit", () => resolve());
      child.kill(signal);
    });
  }
}

/** A door to a server that can be shut, cut and made slow. */
export class Door {
  private readonly pairs = new Set<[net.Socket, net.Socket]>();
  private shut = false;
  /** How long each piece waits, in milliseconds, in the order in which they came. */
  delay: () => number = () => 0;
  connects = 0;

  private constructor(
    private readonly listener: net.Server,
    private readonly port: () => number,
  ) {}

  static open(port: () => number): Promise<Door> {
    const listener = net.createServer((inner) => door.accept(inner));
    const door = new Door(listener, port);
    return new Promise((resolve) => listener.listen(0, "127.0.0.1", () => resolve(door)));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as net.AddressInfo).port}`;
  }

  /** Cuts all connections in the middle of whatever they carry. */
  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    this.pairs.clear();
  }

  /** Cuts, and lets nobody in until {@link reopen}. */
  close(): void {
    this.shut = true;
    this.cut();
  }

  reopen(): void {
    this.shut = false;
  }

  /** From now on nothing comes through, and nobody is told: a dead link. New connections live. */
  stall(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.removeAllListeners("data");
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
  }

  stop(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.listener.close(() => resolve()));
  }

  private accept(inner: net.Socket): void {
    if (this.shut) return void inner.destroy();
    this.connects += 1;
    const outer = net.connect(this.port(), "127.0.0.1");
    const pair: [net.Socket, net.Socket] = [inner, outer];
    this.pairs.add(pair);
    const end = () => {
      inner.destroy();
      outer.destroy();
      this.pairs.delete(pair);
    };
    this.pipe(inner, outer);
    this.pipe(outer, inner);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("close", end);
      socket.on("error", end);
    }
  }

  private pipe(from: net.Socket, to: net.Socket): void {
    let last = Promise.resolve();
    from.on("data", (data) => {
      const wait = this.delay();
      if (wait === 0) {
        last = last.then(() => void (to.destroyed || to.write(data)));
        return;
      }
      last = last
        .then(() => new Promise((resolve) => setTimeout(resolve, wait)))
        .then(() => void (to.destroyed || to.write(data)));
    });
  }
}
