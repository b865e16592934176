// The server as it would be with another build of the page: its scripts have other names.
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES: Record<string, string> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  svg: "image/svg+xml",
};
const PAGES = /^\/(?:b\/.*|me|sign-in)?$/;

/** Stands before a server, and answers with the next version of the page in its place. */
export class NextVersion {
  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly listener: http.Server,
    readonly port: number,
  ) {}

  static async before(server: number): Promise<NextVersion> {
    const files = filesOf("NEXT");
    const listener = http.createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://host");
      const path = PAGES.test(pathname) ? "/index.html" : pathname;
      const file = files.get(path);
      if (file !== undefined) {
        const type = TYPES[path.split(".").at(-1) ?? ""] ?? "application/octet-stream";
        response.writeHead(200, { "content-type": type, "cache-control": "no-cache" });
        return void response.end(file);
      }
      const { method, headers } = request;
      const asked = http.request({ port: server, path: request.url, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      asked.on("error", () => response.destroy());
      request.pipe(asked);
    });
    listener.on("upgrade", (request, socket: net.Socket) => {
      const outer = net.connect(server, "127.0.0.1");
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      outer.write(`${lines.join("\r\n")}\r\n\r\n`);
      socket.pipe(outer).pipe(socket);
      for (const [one, other] of [
        [socket, outer],
        [outer, socket],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const next = new NextVersion(listener, (listener.address() as net.AddressInfo).port);
    listener.on("connection", (socket) => {
      next.sockets.add(socket);
      socket.on("close", () => next.sockets.delete(socket));
    });
    return next;
  }

  stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.listener.close(() => resolve()));
  }
}

/** The files of the build, the scripts and styles among them under other names. */
function filesOf(mark: string): Map<string, string> {
  const assets = readdirSync(`${DIST}assets`).filter((name) => !name.endsWith(".map"));
  const renamed = (text: string) =>
    assets.reduce((text, name) => text.replaceAll(name, name.replace(".", `-${mark}.`)), text);
  const files = new Map<string, string>();
  for (const name of ["index.html", "icon.svg", "worker.js", ...assets.map((a) => `assets/${a}`)])
    files.set(`/${renamed(name)}`, renamed(readFileSync(DIST + name, "utf8")));
  const worker = files.get("/worker.js") ?? "";
  files.set("/worker.js", worker.replace(/VERSION="/, `VERSION="${mark}`));
  return files;
}
