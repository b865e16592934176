// What every store must do, tried with each of them.
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { IndexedDbStore, type Locks, VIEWS_MAX } from "../src/indexeddb.js";
import type { Saving, SubmitRecord } from "../src/pending.js";
import { MemoryStore, type Store } from "../src/store.js";

vi.stubGlobal("IDBKeyRange", IDBKeyRange);

/** Locks as browsers have them, of which only exclusive ones that do not wait are used. */
function browserLocks(): Locks {
  const held = new Set<string>();
  const request = async (name: string, _: LockOptions, use: (lock: Lock | null) => unknown) => {
    if (held.has(name)) return use(null);
    held.add(name);
    try {
      return await use({ name, mode: "exclusive" });
    } finally {
      held.delete(name);
    }
  };
  return { request } as Locks;
}

const submit = (key: number, seq?: number): SubmitRecord => ({
  key,
  ...(seq && { seq }),
  cmds: [{ type: "board.set", title: `${key}` }],
  at: 1,
});
const saving = (put: SubmitRecord[], remove: number[] = [], next = 1): Saving => ({
  board: { board: "b", next, saved: 0, used: 0 },
  put,
  remove,
});
/** Ends once what was released can be claimed. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

const kinds: [string, () => () => Store][] = [
  [
    "memory",
    () => {
      const store = new MemoryStore();
      return () => store;
    },
  ],
  [
    "IndexedDB",
    () => {
      const [locks, factory] = [browserLocks(), new IDBFactory()];
      return () => new IndexedDbStore(locks, undefined, factory);
    },
  ],
];

describe.each(kinds)("a store in %s", (_, make) => {
  let page: () => Store;
  beforeEach(() => {
    page = make();
  });

  test("keeps what is saved for the next page", async () => {
    const claim = await page().claim("ann");
    expect(claim.kept.size).toBe(0);
    await claim.save(saving([submit(1, 1), submit(2)], [], 2));
    await claim.save(saving([submit(2, 2), submit(3)], [1], 3));
    claim.release();
    await turn();
    const next = await page().claim("ann");
    expect(next.client).toBe(claim.client);
    expect(next.kept.get("b")).toEqual({
      board: { board: "b", next: 3, saved: 0, used: 0 },
      submits: [submit(2, 2), submit(3)],
    });
  });

  test("gives each page another client", async () => {
    const claims = [
      await page().claim("ann"),
      await page().claim("ann"),
      await page().claim("ann"),
    ];
    expect(new Set(claims.map((claim) => claim.client)).size).toBe(3);
  });

  test("gives nobody the work of another account", async () => {
    const claim = await page().claim("ann");
    await claim.save(saving([submit(1)]));
    claim.release();
    await turn();
    expect((await page().claim("bob")).client).not.toBe(claim.client);
    expect(await page().orphan("bob")).toBe(undefined);
  });

  test("gives work that nobody holds to one who asks, and forgets it when told", async () => {
    const [idle, busy] = [await page().claim("ann"), await page().claim("ann")];
    await busy.save(saving([submit(1)]));
    expect(await page().orphan("ann")).toBe(undefined);
    idle.release();
    busy.release();
    await turn();
    const orphan = await page().orphan("ann");
    expect(orphan?.client).toBe(busy.client);
    expect(orphan?.kept.get("b")?.submits).toEqual([submit(1)]);
    expect(await page().orphan("ann")).toBe(undefined);
    await orphan?.remove();
    orphan?.release();
    await turn();
    expect(await page().orphan("ann")).toBe(undefined);
    expect((await page().claim("ann")).client).toBe(idle.client);
  });
});

test("the page that takes over unsaved work is the one that is opened next", async () => {
  const [locks, factory] = [browserLocks(), new IDBFactory()];
  const page = () => new IndexedDbStore(locks, undefined, factory);
  const [first, second] = [await page().claim("ann"), await page().claim("ann")];
  await second.save(saving([submit(1)]));
  first.release();
  second.release();
  await turn();
  expect((await page().claim("ann")).client).toBe(second.client);
});

test("without locks a tab keeps its client over reloads, and another tab has another one", async () => {
  const factory = new IDBFactory();
  const tab = () => {
    const items = new Map<string, string>();
    return {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    };
  };
  const mine = tab();
  const page = (of: ReturnType<typeof tab>) => new IndexedDbStore(null as never, of, factory);
  const claim = await page(mine).claim("ann");
  await claim.save(saving([submit(1)]));
  const again = await page(mine).claim("ann");
  expect(again.client).toBe(claim.client);
  expect(again.kept.get("b")?.submits).toEqual([submit(1)]);
  expect((await page(tab()).claim("ann")).client).not.toBe(claim.client);
});

describe("boards as they were seen last", () => {
  const view = (board: string, at: number) => ({
    board,
    epoch: "e",
    version: at,
    role: "editor" as const,
    at,
    view: { id: board, title: board, next_number: 1 },
  });

  test("are kept for each account, the newest few, until they are forgotten", async () => {
    const { views } = new IndexedDbStore(browserLocks(), undefined, new IDBFactory());
    for (let at = 0; at <= VIEWS_MAX; at++) await views.keep("ann", view(`b${at}`, at));
    await views.keep("bob", view("b1", 50));
    expect(await views.load("ann", "b0")).toBeUndefined();
    expect(await views.load("ann", "b1")).toMatchObject(view("b1", 1));
    await views.keep("ann", view("b1", 60));
    expect((await views.load("ann", "b1"))?.version).toBe(60);
    const listed = (await views.list("ann")).map(({ board }) => board).sort();
    expect(listed).toEqual(Array.from({ length: VIEWS_MAX }, (_, at) => `b${at + 1}`));
    await views.forget("ann", "b1");
    expect(await views.load("ann", "b1")).toBeUndefined();
    expect(await views.load("ann", "b2")).toBeDefined();
    await views.forget("ann");
    expect(await views.load("ann", "b2")).toBeUndefined();
    expect((await views.load("bob", "b1"))?.version).toBe(50);
  });

  test.each([1, 2])(
    "come into a database of version %i, which has none of this form",
    async (version) => {
      const factory = new IDBFactory();
      const opening = factory.open("boardcast", version);
      opening.onupgradeneeded = () => {
        if (version === 2) {
          const views = opening.result.createObjectStore("views", {
            keyPath: ["account", "board"],
          });
          views.put({ ...view("b", 7), account: "ann" });
        }
        opening.result.createObjectStore("clients", { keyPath: "client" });
        opening.result.createObjectStore("boards", { keyPath: ["client", "board"] });
        opening.result.createObjectStore("submits", { keyPath: ["client", "board", "key"] });
      };
      await new Promise<void>((resolve) => {
        opening.onsuccess = () => {
          opening.result.close();
          resolve();
        };
      });
      const store = new IndexedDbStore(browserLocks(), undefined, factory);
      const claim = await store.claim("ann");
      await claim.save(saving([submit(1)]));
      expect(await store.views.load("ann", "b")).toBeUndefined();
      await store.views.keep("ann", view("b", 1));
      expect((await store.views.load("ann", "b"))?.version).toBe(1);
    },
  );

  test("keep no work waiting while they are written", async () => {
    const factory = new IDBFactory();
    const claim = await new IndexedDbStore(browserLocks(), undefined, factory).claim("ann");
    const opening = factory.open("boardcast");
    await new Promise((resolve) => {
      opening.onsuccess = resolve;
    });
    const writing = opening.result.transaction("views", "readwrite");
    let isSaved = false;
    const goOn = () => {
      const request = writing.objectStore("views").count();
      request.onsuccess = () => isSaved || goOn();
    };
    goOn();
    await claim.save(saving([submit(1)]));
    isSaved = true;
    await new Promise((resolve) => {
      writing.oncomplete = resolve;
    });
  });
});
