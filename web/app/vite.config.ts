import { fileURLToPath } from "node:url";
import { defineConfig, type ProxyOptions } from "vite";

/** The server that a page under development talks to. */
const server = process.env.BOARDCAST_URL ?? "http://127.0.0.1:8080";

/** The server lets pages of its own origin in only; through the proxy this page is one. */
const proxied: ProxyOptions = {
  target: server,
  ws: true,
  configure(proxy) {
    proxy.on("proxyReq", (request) => request.setHeader("origin", server));
    proxy.on("proxyReqWs", (request) => request.setHeader("origin", server));
    // A connection that is cut is the page's to notice.
    proxy.on("error", () => {});
  },
};
const proxy = { "/api": proxied, "/ws": proxied };

export default defineConfig({
  resolve: {
    alias: {
      "@boardcast/client": fileURLToPath(
        new URL("../packages/client/src/index.ts", import.meta.url),
      ),
    },
  },
  esbuild: { jsx: "automatic" },
  server: { proxy },
  preview: { proxy },
  build: { target: "es2022", sourcemap: true },
});
