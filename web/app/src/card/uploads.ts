// Files on their way to the server, one after the other; they go on when the card is closed.
import { newId } from "@boardcast/client";
import { at } from "../base.js";
import { credentials } from "../session.js";
import { t } from "../text/index.js";
import { problemText } from "../text/refusals.js";
import { tell } from "../told.js";

/** A file that is not attached yet. */
export type Upload = {
  id: string;
  board: string;
  card: string;
  file: File;
  /** What has become of it so far. */
  state: { is: "waiting" } | { is: "sending"; bytes: number } | { is: "failed"; why: string };
};

let uploads: readonly Upload[] = [];
let request: XMLHttpRequest | undefined;
const listeners = new Set<() => void>();

/** Calls when an upload has changed. */
export function listenUploads(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** All uploads, in the order in which they are sent. */
export function allUploads(): readonly Upload[] {
  return uploads;
}

/** Attaches files to a card, behind those that are on their way. */
export function upload(board: string, card: string, files: readonly File[]): void {
  const state = { is: "waiting" } as const;
  set([...uploads, ...files.map((file) => ({ id: newId(), board, card, file, state }))]);
  sendNext();
}

/** Sends a file again. What has come of it already is not attached twice. */
export function retry(id: string): void {
  change(id, { is: "waiting" });
  sendNext();
}

/** Gives a file up: one that is being sent is stopped. */
export function giveUp(id: string): void {
  const is = uploads.find((one) => one.id === id)?.state.is;
  if (is === "sending") request?.abort();
  set(uploads.filter((one) => one.id !== id));
  sendNext();
}

function set(next: readonly Upload[]): void {
  uploads = next;
  // Whoever leaves the page is asked as long as a file has not come.
  const leaves = uploads.some(({ state }) => state.is !== "failed");
  if (leaves) addEventListener("beforeunload", stay);
  else removeEventListener("beforeunload", stay);
  for (const listener of [...listeners]) listener();
}

function stay(event: Event): void {
  event.preventDefault();
}

function change(id: string, state: Upload["state"]): void {
  set(uploads.map((one) => (one.id === id ? { ...one, state } : one)));
}

function sendNext(): void {
  if (uploads.some(({ state }) => state.is === "sending")) return;
  const next = uploads.find(({ state }) => state.is === "waiting");
  if (next) send(next);
}

/** `fetch` does not tell how much of a body has gone. */
function send({ id, board, card, file }: Upload): void {
  const sending = new XMLHttpRequest();
  request = sending;
  const name = encodeURIComponent(file.name);
  sending.open("POST", at(`/api/v1/boards/${board}/cards/${card}/attachments?name=${name}`));
  for (const [header, value] of Object.entries(credentials())) {
    sending.setRequestHeader(header, value);
  }
  sending.setRequestHeader("idempotency-key", id);
  sending.upload.addEventListener("progress", ({ loaded }) => {
    change(id, { is: "sending", bytes: loaded });
  });
  sending.addEventListener("load", () => {
    if (sending.status >= 200 && sending.status < 300) set(uploads.filter((one) => one.id !== id));
    else failed(id, file.name, problemText(sending.responseText, sending.statusText));
    sendNext();
  });
  sending.addEventListener("error", () => {
    failed(id, file.name, t.files.notSent);
    sendNext();
  });
  change(id, { is: "sending", bytes: 0 });
  sending.send(file);
}

/** It stands at its card; where no card is open, it is said. */
function failed(id: string, name: string, why: string): void {
  change(id, { is: "failed", why });
  if (listeners.size === 0) tell(t.files.failed(name, why));
}
