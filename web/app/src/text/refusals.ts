// What is wrong, in the language of the page: known by its code, for the server speaks English.
import { QueueFull, RequestFailed, TooLarge } from "@boardcast/client";
import { isEnglish, t } from "./index.js";

/** Codes that stand for many things: what the server says of this one follows them. */
const GENERAL: ReadonlySet<string> = new Set([
  "bad-message",
  "bad-request",
  "conflict",
  "forbidden",
  "invalid",
  "limit",
  "not-found",
  "unauthorized",
  "unavailable",
]);
/** Closed by an administrator, who may have said why. */
const CLOSED_BY_ADMIN = 4505;
/** What the server says where they have not. */
const NO_REASON = "closed by an administrator";

/**
 * Words for a refusal by its code: the end of the `type` of a problem, or a reason or an error code of
 * the protocol. A code that the catalogue does not know is told as the server has said it, in English.
 */
export function refusal(code: string, hint: string): string {
  if (isEnglish() && hint) return hint;
  const key = code.replaceAll("_", "-");
  const words: string | undefined = (t.refusals as Record<string, string>)[key];
  if (!words) return hint || code;
  return hint && GENERAL.has(key) && !isEnglish() ? `${words} (${hint})` : words;
}

/** The same for an answer of HTTP that is no success. */
export function problem(body: unknown, otherwise: string): string {
  const { type, detail } = (body ?? {}) as { type?: unknown; detail?: unknown };
  return refusal(`${type ?? ""}`.split("#").at(-1) ?? "", `${detail ?? otherwise}`);
}

/** The same for the text of such an answer, which may not be one of the server's. */
export function problemText(text: string, otherwise: string): string {
  try {
    return problem(JSON.parse(text), otherwise);
  } catch {
    return otherwise;
  }
}

/** Why the connection has ended, by its close code. */
export function closing(code: number, reason: string): string {
  const words: string | undefined = (t.closes as Record<string, string>)[code];
  if (!words || (isEnglish() && reason)) return reason || `${code}`;
  return code === CLOSED_BY_ADMIN && reason && reason !== NO_REASON ? `${words}: ${reason}` : words;
}

/** What went wrong with something that was asked for or done. */
export function failure(error: unknown): string {
  if (error instanceof RequestFailed) return refusal(error.code, error.message);
  if (error instanceof QueueFull) return refusal("queue-full", error.message);
  if (error instanceof TooLarge) return refusal("too-large", error.message);
  return (error as Error).message;
}
