// Measures the browser client: `node bench/run.mjs --help`.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { module } = await runnerImport(fileURLToPath(new URL("main.ts", import.meta.url)));
process.exitCode = await module.main(process.argv.slice(2));
