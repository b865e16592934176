// Which page the address names.
import { useSyncExternalStore } from "react";
import { at, within } from "./base.js";

export type Route =
  | { page: "boards" }
  | { page: "me" }
  | { page: "board"; board: string; card?: string }
  | { page: "account"; name: "sign-in" | "first-start" | "password" };

/** The page of a path. */
export function routeOf(path: string): Route {
  const board = /^\/b\/([A-Za-z0-9_-]+)(?:\/c\/([A-Za-z0-9_-]+))?$/.exec(path);
  if (board?.[1]) return { page: "board", board: board[1], ...(board[2] && { card: board[2] }) };
  const account = /^\/(sign-in|first-start|password)$/.exec(path)?.[1];
  if (account) return { page: "account", name: account as "sign-in" };
  return { page: path === "/me" ? "me" : "boards" };
}

/** Goes to another page without loading anew. */
export function go(path: string): void {
  history.pushState(null, "", at(path));
  dispatchEvent(new PopStateEvent("popstate"));
}

function listen(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}

/** The path of the page that is shown. */
export function usePath(): string {
  return useSyncExternalStore(listen, () => within(location.pathname));
}
