import { defineConfig } from "vitest/config";

// The server that is tested may be a debug build on a busy machine.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 30_000 } });
