import { fileURLToPath } from "node:url";
import { defineConfig, type ProxyOptions } from "vite";
import { keptFiles, WORKER } from "./vite.worker.js";

/** The server that a page under development talks to. */
const server = process.env.BOARDCAST_URL ?? "http://127.0.0.1:8080";

/** Host and origin stay those of this page, so that it is one of the server's own. */
const proxied: ProxyOptions = {
  target: server,
  ws: true,
  configure(proxy) {
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
  plugins: [keptFiles()],
  build: {
    target: "es2022",
    sourcemap: "hidden",
    rollupOptions: {
      input: { index: "index.html", [WORKER]: "src/offline/worker.ts" },
      output: {
        // A browser knows a worker by its address, which stays.
        entryFileNames: ({ name }) =>
          name === WORKER ? `${WORKER}.js` : "assets/[name]-[hash].js",
      },
    },
  },
  experimental: {
    // The server writes into the document where it is found; a script finds its like beside it.
    renderBuiltUrl: (_, { hostType }) => (hostType === "html" ? undefined : { relative: true }),
  },
});
