// The page without the network: it is kept in the browser by worker.ts, and followed to the next version.
import type { Client } from "@boardcast/client";
import { at } from "../base.js";
import { t } from "../text/index.js";
import { tell } from "../told.js";
import { foundNewer, hasNewer } from "./version.js";

/** How long the page has been live when it is kept: what is shown comes first. In milliseconds. */
const KEEP_AFTER_MS = 2_000;

/** Keeps the page once it is live, and looks for another version whenever the connection was lost. */
export function keepPage(client: Client): void {
  let wasLive = false;
  let lost = false;
  client.listen(() => {
    const live = client.state.name === "live";
    if (live && !wasLive) setTimeout(() => void register(), KEEP_AFTER_MS);
    if (live && lost) void lookForNewer();
    wasLive ||= live;
    lost = wasLive && !live;
  });
  // A part that was not loaded yet, and that the other version of the server does not have.
  addEventListener("vite:preloadError", (event) => {
    if (!hasNewer()) return;
    event.preventDefault();
    location.reload();
  });
}

/** Browsers have such workers on pages of HTTPS and of localhost only; elsewhere nothing is kept. */
async function register(): Promise<void> {
  if (import.meta.env.DEV) return;
  await navigator.serviceWorker?.register(at("/worker.js")).catch(() => {
    // A browser that keeps nothing needs the network for a reload.
  });
}

/** Scripts are named after what they hold: a document without the own one is that of another version. */
async function lookForNewer(): Promise<void> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  if (!own || hasNewer()) return;
  const answer = await fetch(at("/")).catch(() => undefined);
  if (!answer?.ok || (await answer.text()).includes(new URL(own.src).pathname)) return;
  foundNewer();
  tell(t.newVersion.told);
  const registered = await navigator.serviceWorker?.getRegistration(at("/"));
  await registered?.update().catch(() => {
    // It is taken with the next page.
  });
}
