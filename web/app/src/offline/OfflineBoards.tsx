import type { BoardSummary } from "@boardcast/client";
import { useEffect, useState } from "react";
import { BoardItem } from "../boards/BoardItem.js";
import { useClient, useLink } from "../live.js";
import { byName, t } from "../text/index.js";

/** The boards that this browser has kept, once the server could not be reached to say which there are. */
export function OfflineBoards() {
  const client = useClient();
  const away = useLink().name === "waiting";
  const [boards, setBoards] = useState<BoardSummary[]>();
  useEffect(() => {
    if (away) void client.keptBoards().then(setBoards);
  }, [client, away]);
  if (!boards) return null;
  return (
    <>
      <p className="empty">{boards.length > 0 ? t.offline.boards : t.offline.none}</p>
      <ul>
        {[...boards]
          .sort((a, b) => byName(a.title, b.title))
          .map((board) => (
            <BoardItem key={board.board} board={board} marked />
          ))}
      </ul>
    </>
  );
}
