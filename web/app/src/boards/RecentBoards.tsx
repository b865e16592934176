import type { BoardSummary } from "@boardcast/client";
import { useEffect, useState } from "react";
import { lookedAt } from "../board/seen-store.js";
import { account } from "../session.js";
import { t } from "../text/index.js";
import { BoardItem } from "./BoardItem.js";

/** Boards that are shown at most. */
const SHOWN_MAX = 4;
/** In a list of fewer boards each is found as soon. */
const BOARDS_MIN = 8;

/** The boards that were looked at last in this browser. */
export function RecentBoards({ boards }: { boards: readonly BoardSummary[] }) {
  const [ids, setIds] = useState<readonly string[]>([]);
  useEffect(() => {
    void lookedAt(account()).then(setIds);
  }, []);
  const recent = ids
    .flatMap((id) => boards.find(({ board }) => board === id) ?? [])
    .slice(0, SHOWN_MAX);
  if (boards.length < BOARDS_MIN || recent.length === 0) return null;
  return (
    <section className="recent" aria-labelledby="recent">
      <h2 id="recent">{t.recent}</h2>
      <ul>
        {recent.map((board) => (
          <BoardItem key={board.board} board={board} />
        ))}
      </ul>
    </section>
  );
}
