import { defineConfig } from "vitest/config";

// Without the settings of vite.config.ts: the tests run what is built.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
