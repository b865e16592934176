// Real exports of other programs. They lie beside the repository and not in it.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BESIDE = fileURLToPath(new URL("../../../../shared", import.meta.url));

/** The text of a real export; nothing where there is none, which is said. */
export function realExport(name: string): string | undefined {
  const path = `${process.env.BOARDCAST_SHARED ?? BESIDE}/data/${name}`;
  if (existsSync(path)) return readFileSync(path, "utf8");
  process.stderr.write(`skipped: ${path} is not there; set BOARDCAST_SHARED\n`);
  return undefined;
}
