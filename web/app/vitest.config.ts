import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const client = new URL("../packages/client/src/index.ts", import.meta.url);

// Without the settings of vite.config.ts: the tests run what is built.
// A file at a time: each has a server and a browser of its own.
export default defineConfig({
  resolve: { alias: { "@boardcast/client": fileURLToPath(client) } },
  test: { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
