// What the service worker keeps: the names of all files of the build are written into it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** The name of the chunk, and with `.js` of the file. */
export const WORKER = "worker";

/** Fills `FILES` and `VERSION` of `src/offline/worker.ts` in. */
export function keptFiles(): Plugin {
  return {
    name: "kept-files",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const worker = bundle[`${WORKER}.js`];
      if (worker?.type !== "chunk") throw new Error("the service worker was not built");
      // As a classic script it can neither import nor be shared with the page.
      if (worker.imports.length + worker.exports.length > 0)
        throw new Error("the service worker must stand alone");
      const assets = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
      const still = readdirSync("public");
      const files = [...assets.filter((name) => !name.endsWith(".map")), ...still].sort();
      // Names of assets say what they hold; these do not.
      const hash = createHash("sha256").update(JSON.stringify(files)).update(worker.code);
      for (const path of ["index.html", ...still.map((name) => `public/${name}`)])
        hash.update(readFileSync(path));
      const given = { FILES: files, VERSION: hash.digest("hex").slice(0, 16) };
      const header = Object.entries(given).map(
        ([name, value]) => `const ${name}=${JSON.stringify(value)};`,
      );
      worker.code = `{${header.join("")}${worker.code}}`;
    },
  };
}
