// Canonical JSON (RFC 8785), and the hashes that are taken of it.
import type { Detail, View } from "./protocol.js";

/** Canonical JSON of a value without floats and with ASCII keys, as everything in the protocol is. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const members = entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}

/**
 * The hash of a board: two boards are equal if and only if their hashes are.
 *
 * Needs Web Crypto, which browsers have on pages of HTTPS and of localhost only.
 */
export async function hashOf(view: View): Promise<string> {
  return hex(await sha256(canonical(view)));
}

/** The digest that the board's view has of a card's description and comments; empty for none. */
export async function digestOf(detail: Detail): Promise<string> {
  const parts: unknown[] = [...(detail.comments ?? [])];
  if (detail.description) parts.push(detail.description);
  if (parts.length === 0) return "";
  const digest = new Uint8Array(8);
  for (const part of parts) {
    const hash = await sha256(canonical(part));
    for (let at = 0; at < digest.length; at++) digest[at] = (digest[at] ?? 0) ^ (hash[at] ?? 0);
  }
  return hex(digest);
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two values of the protocol are the same. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keys.every((key) => key in right && equal(left[key], right[key]));
}
