// Where on its host the server is found: the page says so, for it may be behind a proxy that serves
// other things as well.
const named = globalThis.document?.querySelector<HTMLMetaElement>("meta[name=boardcast-base]");

/** Without a slash at its end. */
export const BASE = (named?.content ?? "").replace(/\/$/, "");

/** A path of the server as the browser has to ask for it. */
export function at(path: string): string {
  return BASE + path;
}

/** The path of the server that an address of the browser names. */
export function within(pathname: string): string {
  return pathname.startsWith(`${BASE}/`) ? pathname.slice(BASE.length) : "/";
}
