// Who is signed in, and by what: a cookie of the server, or the token of a link in this tab only.
const TOKEN = "boardcast-token";
const USER = "boardcast-user";

/** What the server said to a request. */
export type Answer =
  | { ok: true; body: Record<string, unknown> }
  | { ok: false; detail: string; status: number };

/** Sends JSON. Throws where the server cannot be reached. */
export async function post(path: string, body: object): Promise<Answer> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return { ok: true, body: told };
  return { ok: false, status: response.status, detail: `${told.detail ?? response.statusText}` };
}

/** Remembers who has signed in here, so that unsaved work stays with its author. */
export function remember(user: unknown): void {
  if (typeof user === "string") localStorage.setItem(USER, user);
  sessionStorage.removeItem(TOKEN);
}

/** Whose work this browser keeps. */
export function account(): string {
  return localStorage.getItem(USER) ?? "";
}

/** The token of a link, where one has signed this tab in. */
export function token(): string | undefined {
  return sessionStorage.getItem(TOKEN) ?? undefined;
}

/**
 * Takes the ticket of a link, if the address has one. Whether somebody is signed in; as far as can be
 * known where the server cannot be reached.
 */
export async function arrive(): Promise<boolean> {
  const ticket = /ticket=([A-Za-z0-9_-]+)/.exec(location.hash)?.[1];
  if (ticket) {
    history.replaceState(null, "", location.pathname);
    const answer = await post("/api/v1/sessions", { ticket });
    if (answer.ok) {
      remember(answer.body.user);
      if (typeof answer.body.token === "string") sessionStorage.setItem(TOKEN, answer.body.token);
    }
  }
  if (token()) return true;
  try {
    return (await fetch("/api/v1/sessions")).status !== 401;
  } catch {
    return true;
  }
}

/** Ends the session of this browser. */
export async function leave(): Promise<void> {
  sessionStorage.removeItem(TOKEN);
  await fetch("/api/v1/sessions/current", { method: "DELETE" });
  location.assign("/sign-in");
}
