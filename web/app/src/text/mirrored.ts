// English that reads from right to left: it shows what a layout does in Arabic or Hebrew.
import { en } from "./en.js";
import type { Catalogue } from "./index.js";

/** Turns the letters around: from here, to here. */
const FROM_RIGHT = "\u202e";
const AS_BEFORE = "\u202c";

function turned(thing: unknown): unknown {
  if (typeof thing === "string") return thing && FROM_RIGHT + thing + AS_BEFORE;
  if (typeof thing === "function") return (...given: unknown[]) => turned(thing(...given));
  if (Array.isArray(thing)) return thing.map(turned);
  const entries = Object.entries(thing as object);
  return Object.fromEntries(entries.map(([key, value]) => [key, turned(value)]));
}

export const mirrored = turned(en) as Catalogue;
