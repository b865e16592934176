// Keeps the page in the browser, so that it is there without the network. A service worker of its
// own: it is made from this file alone, and the names of what it keeps are filled in by the build.

/** What it takes to show any page, besides the document: paths below the server's. */
declare const FILES: readonly string[];
/** What this version of the page is named after: a change of anything in it makes another name. */
declare const VERSION: string;

const NAME = "boardcast-page-";
/** How long a document of the server is waited for where one is kept, in milliseconds. */
const NETWORK_MS = 3_000;
/** The first part of the paths that are answered with the document. */
const PAGES: ReadonlySet<string> = new Set([
  "",
  "admin",
  "b",
  "first-start",
  "me",
  "password",
  "sign-in",
]);

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
/** Another server on the same host keeps pages of its own. */
const scope = new URL(worker.registration.scope).pathname;
const own = `${NAME}${scope}#`;
const kept = own + VERSION;

worker.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(takeOver());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (!url.pathname.startsWith(scope)) return;
  const path = url.pathname.slice(scope.length);
  // All else, such as what the server is asked about boards, goes its way without being looked at.
  if (request.mode === "navigate") {
    if (PAGES.has(path.split("/")[0] ?? "")) event.respondWith(documentOf(request));
  } else if (FILES.includes(path)) {
    event.respondWith(file(request, scope + path));
  }
});

/** Fetches all of this version, or none: then the version before stays. */
async function keep(): Promise<void> {
  const cache = await caches.open(kept);
  try {
    const files = FILES.map((path) => scope + path);
    await cache.addAll([new Request(scope, { cache: "reload" }), ...files]);
  } catch (error) {
    await caches.delete(kept);
    throw error;
  }
  await worker.skipWaiting();
}

/** Removes other versions. */
async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(own) && name !== kept) await caches.delete(name);
  }
  await worker.clients.claim();
}

/** The server's document, for it is that of the version that answers; the kept one where none comes. */
async function documentOf(request: Request): Promise<Response> {
  const fromServer = fetch(request);
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, NETWORK_MS));
  const answer = await Promise.race([fromServer, late]).catch(() => undefined);
  if (answer && answer.status < 500) return answer;
  return (await (await caches.open(kept)).match(scope)) ?? fromServer;
}

async function file(request: Request, path: string): Promise<Response> {
  return (await (await caches.open(kept)).match(path)) ?? fetch(request);
}
