// Lists that the server keeps for a person or a board, and what is done to them.
import { useCallback, useEffect, useState } from "react";
import { type Answer, ask } from "../session.js";
import { t } from "../text/index.js";

/** A list under a path, and ways to change it. What went wrong is told in words. */
export function useAsked<T>(path: string, name: string) {
  const [list, setList] = useState<readonly T[]>();
  const [told, setTold] = useState("");
  const load = useCallback(async () => {
    const answer = await answered("GET", path);
    if (answer.ok) setList((answer.body[name] ?? []) as T[]);
    else setTold(answer.detail);
  }, [path, name]);
  useEffect(() => {
    void load();
  }, [load]);

  /** What the server has made, or nothing where it has not. */
  async function make(body: object): Promise<Record<string, unknown> | undefined> {
    const answer = await answered("POST", path, body);
    setTold(answer.ok ? "" : answer.detail);
    if (!answer.ok) return undefined;
    await load();
    return answer.body;
  }

  async function end(id: string): Promise<void> {
    const answer = await answered("DELETE", `${path}/${id}`);
    setTold(answer.ok ? "" : answer.detail);
    await load();
  }

  return { list, told, make, end };
}

/** As {@link ask}, with words where the server cannot be reached. */
export async function answered(method: string, path: string, body?: object): Promise<Answer> {
  try {
    return await ask(method, path, body);
  } catch {
    return { ok: false, status: 0, detail: t.account.unreachable };
  }
}

/** A moment so many days from now, in milliseconds since 1970. */
export function inDays(days: number): number {
  return Date.now() + days * 24 * 3_600_000;
}
