// Which page the address names.
import { type MouseEvent, useSyncExternalStore } from "react";
import { at, within } from "./base.js";
import { hasNewer } from "./offline/version.js";

/** What administrators of the server see, a page each. */
export const PARTS = ["users", "connections", "numbers", "settings", "audit"] as const;
export type Part = (typeof PARTS)[number];

export type Route =
  | { page: "boards" }
  | { page: "admin"; part: Part }
  | { page: "me" }
  | { page: "board"; board: string; card?: string }
  | { page: "account"; name: "sign-in" | "first-start" | "password" };

/** The page of a path. */
export function routeOf(path: string): Route {
  const board = /^\/b\/([A-Za-z0-9_-]+)(?:\/c\/([A-Za-z0-9_-]+))?$/.exec(path);
  if (board?.[1]) return { page: "board", board: board[1], ...(board[2] && { card: board[2] }) };
  const account = /^\/(sign-in|first-start|password)$/.exec(path)?.[1];
  if (account) return { page: "account", name: account as "sign-in" };
  const admin = /^\/admin(?:\/([a-z]+))?$/.exec(path);
  if (admin) return { page: "admin", part: PARTS.find((part) => part === admin[1]) ?? "users" };
  return { page: path === "/me" ? "me" : "boards" };
}

/**
 * Goes to another page, without loading anew as long as the server has no other version of the pages.
 * What belongs to the page that is shown, such as a card, never loads anew.
 */
export function go(path: string): void {
  const pageOf = (path: string) => path.replace(/\/c\/.*|\?.*/, "");
  if (hasNewer() && pageOf(path) !== pageOf(within(location.pathname))) {
    return location.assign(at(path));
  }
  history.pushState(null, "", at(path));
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Follows a link without loading anew, where the browser is not asked for another tab. */
export function follow(event: MouseEvent, path: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(path);
}

function listen(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}

/** What the address looks for, and a way to look for something else there. */
export function useSearched(): [text: string, type: (text: string) => void] {
  const text = useSyncExternalStore(listen, () => new URLSearchParams(location.search).get("q"));
  const type = (text: string) => {
    const query = text === "" ? "" : `?q=${encodeURIComponent(text)}`;
    history.replaceState(null, "", location.pathname + query);
    dispatchEvent(new PopStateEvent("popstate"));
  };
  return [text ?? "", type];
}

/** The path of the page that is shown. */
export function usePath(): string {
  return useSyncExternalStore(listen, () => within(location.pathname));
}
