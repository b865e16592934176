// Lists of the server that come a page at a time.
import { useCallback, useEffect, useRef, useState } from "react";
import { answered } from "../account/asked.js";

type Page<T> = { list: readonly T[]; next: string | number | null };
type Known<T> = { path: string; pages: readonly Page<T>[] };

/**
 * The list `name` of the answers to a path that may have a query; `by` is the parameter of the next
 * page. What went wrong is told in words.
 */
export function usePages<T>(path: string, name: string, by: string) {
  const [known, setKnown] = useState<Known<T>>();
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  const asked = useRef("");

  const get = useCallback(
    async (behind: string | number | null): Promise<Page<T> | undefined> => {
      const more = behind === null ? "" : `&${by}=${encodeURIComponent(behind)}`;
      const answer = await answered(
        "GET",
        path + (path.includes("?") ? more : more.replace("&", "?")),
      );
      setTold(answer.ok ? "" : answer.detail);
      if (!answer.ok) return undefined;
      const next = (answer.body.next ?? null) as Page<T>["next"];
      return { list: (answer.body[name] ?? []) as T[], next };
    },
    [path, name, by],
  );

  const load = useCallback(async () => {
    asked.current = path;
    const page = await get(null);
    // The answer to another question comes too late.
    if (page && asked.current === path) setKnown({ path, pages: [page] });
  }, [get, path]);
  useEffect(() => {
    void load();
  }, [load]);

  const last = known?.pages.at(-1);
  async function more(): Promise<void> {
    if (!known || !last || last.next === null) return;
    setBusy(true);
    const page = await get(last.next);
    setBusy(false);
    if (page) setKnown((now) => (now === known ? { path, pages: [...known.pages, page] } : now));
  }

  return {
    /** What has come so far; nothing before the first page. */
    list: known?.pages.flatMap(({ list }) => list),
    told,
    setTold,
    /** Asks for the next page, where there is one. */
    more: last && last.next !== null ? { ask: more, busy } : undefined,
    /** Begins again with the first page. */
    load,
  };
}
