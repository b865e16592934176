import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type ProxyOptions } from "vite";
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

/** Smaller files are sent as they are, in bytes. */
const COMPRESS_FROM_BYTES = 1_024;

/** Writes each file compressed beside itself, as the server sends it. */
const compressed: Plugin = {
  name: "compressed",
  writeBundle({ dir = "" }, bundle) {
    for (const file of Object.values(bundle)) {
      const body = Buffer.from(file.type === "chunk" ? file.code : file.source);
      // The server writes into the document, and a map is not served.
      if (/\.(html|map)$/.test(file.fileName) || body.length < COMPRESS_FROM_BYTES) continue;
      writeFileSync(join(dir, `${file.fileName}.br`), brotliCompressSync(body));
      writeFileSync(join(dir, `${file.fileName}.gz`), gzipSync(body, { level: 9 }));
    }
  },
};

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
  plugins: [keptFiles(), compressed],
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
