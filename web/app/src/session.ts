// Who is signed in, and by what: a cookie of the server, or the token of a link in this tab only.
import { at, BASE } from "./base.js";
import { forgetLooks } from "./board/look-store.js";
import { forget as forgetBoards } from "./board/seen-store.js";
import { problem } from "./text/refusals.js";

// Another server on the same host has names of its own.
const TOKEN = `boardcast-token${BASE}`;
const USER = `boardcast-user${BASE}`;
const INVITATION = `boardcast-invitation${BASE}`;
/** As whom a public link lets a tab in. */
const GUEST = "guest";
/** How long the server may take to say who is signed in until the page is shown all the same, in milliseconds. */
const KNOWN_WITHIN_MS = 3_000;

/** What the server said to a request. */
export type Answer =
  | { ok: true; body: Record<string, unknown> }
  /** `detail` says what is wrong in the language of the page. */
  | { ok: false; detail: string; status: number };

/** Sends JSON. Throws where the server cannot be reached. */
export function post(path: string, body: object): Promise<Answer> {
  return ask("POST", path, body);
}

/** Asks the server as who is signed in. Throws where it cannot be reached. */
export async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(at(path), {
    method,
    headers: { ...(body && { "content-type": "application/json" }), ...credentials() },
    ...(body && { body: JSON.stringify(body) }),
  });
  const told = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return { ok: true, body: told };
  return { ok: false, status: response.status, detail: problem(told, response.statusText) };
}

/** Remembers who has signed in here, so that unsaved work stays with its author. */
export function remember(user: unknown): void {
  if (typeof user === "string") localStorage.setItem(USER, user);
  forgetHere();
}

/** Remembers who has come by a link: in this tab only, as its token is. */
function rememberHere(user: unknown, token: unknown): void {
  sessionStorage.setItem(USER, `${user}`);
  sessionStorage.setItem(TOKEN, `${token}`);
}

function forgetHere(): void {
  sessionStorage.removeItem(USER);
  sessionStorage.removeItem(TOKEN);
}

/** Whose work this tab keeps. */
export function account(): string {
  return sessionStorage.getItem(USER) ?? localStorage.getItem(USER) ?? "";
}

/** The token of a link, where one has signed this tab in. */
export function token(): string | undefined {
  return sessionStorage.getItem(TOKEN) ?? undefined;
}

/** The header by which requests are those of whoever is signed in; none where a cookie says so. */
export function credentials(): Record<string, string> {
  const bearer = token();
  return bearer ? { authorization: `Bearer ${bearer}` } : {};
}

/**
 * Takes the ticket of a link, if the address has one. Whether somebody is signed in, as far as can be
 * known where the server cannot be reached; or that nobody is and the link was refused.
 */
export async function arrive(): Promise<"in" | "out" | "refused"> {
  const ticket = secretOf("ticket");
  const view = secretOf("view");
  const invitation = secretOf("invitation");
  if (view) rememberHere(GUEST, view);
  // It waits until somebody has signed in.
  if (invitation) sessionStorage.setItem(INVITATION, invitation);
  if (view || invitation) history.replaceState(null, "", location.pathname);
  let refused = false;
  try {
    if (ticket) {
      history.replaceState(null, "", location.pathname);
      const answer = await post("/api/v1/sessions", { ticket });
      if (answer.ok) rememberHere(answer.body.user, answer.body.token);
      refused = !answer.ok;
    }
    if (token()) return "in";
    const signal = AbortSignal.timeout(KNOWN_WITHIN_MS);
    if ((await fetch(at("/api/v1/sessions"), { signal })).status !== 401) return "in";
    return refused ? "refused" : "out";
  } catch {
    // Who was signed in here goes on with what is kept.
    return account() ? "in" : "out";
  }
}

/** A secret that stands in the fragment of the address, which browsers do not send. */
function secretOf(name: string): string | undefined {
  return new RegExp(`${name}=([A-Za-z0-9_-]+)`).exec(location.hash)?.[1];
}

/** Whether this tab only looks, by a public link. */
export function isGuest(): boolean {
  return account() === GUEST && token() !== undefined;
}

/** Accepts the invitation that has brought somebody here; the board, or why there is none. */
export async function acceptInvitation(): Promise<{ board?: string; refused?: string }> {
  const invitation = sessionStorage.getItem(INVITATION);
  if (!invitation) return {};
  try {
    const answer = await post("/api/v1/invitations/accept", { invitation });
    sessionStorage.removeItem(INVITATION);
    return answer.ok ? { board: `${answer.body.board}` } : { refused: answer.detail };
  } catch {
    // It is tried again with the next page.
    return {};
  }
}

/** Loads the page anew when a link with a secret is opened in a tab that shows the page already. */
export function listenForLinks(): void {
  addEventListener("hashchange", () => {
    if (/(?:ticket|link|view|invitation)=/.test(location.hash)) location.reload();
  });
}

let administers: Promise<boolean> | undefined;

/** Whether whoever is signed in administers the server, as it was when that was asked first. */
export function isAdministrator(): Promise<boolean> {
  administers ??= ask("GET", "/api/v1/sessions").then(
    (answer) => answer.ok && answer.body.admin === true,
    () => {
      administers = undefined;
      return false;
    },
  );
  return administers;
}

/**
 * Ends the session of this browser, and forgets who was signed in here and how they looked at boards.
 * Throws where the server cannot be reached: then the session goes on.
 */
export async function leave(): Promise<void> {
  await forgetBoards(account());
  forgetLooks();
  await fetch(at("/api/v1/sessions/current"), { method: "DELETE" });
  forgetHere();
  localStorage.removeItem(USER);
  location.assign(at("/sign-in"));
}
