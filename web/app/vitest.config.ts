import { defineConfig } from "vitest/config";

// Without the settings of vite.config.ts: the tests run what is built.
// A file at a time: each has a server and a browser of its own.
export default defineConfig({
  test: { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
