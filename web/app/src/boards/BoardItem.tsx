import type { BoardSummary } from "@boardcast/client";
import { at } from "../base.js";
import { follow } from "../route.js";
import { t } from "../text/index.js";

/** A board in a list of them. */
export function BoardItem({ board, marked }: { board: BoardSummary; marked?: boolean }) {
  const path = `/b/${board.board}`;
  return (
    <li>
      <a href={at(path)} onClick={(event) => follow(event, path)}>
        <span className="title">{board.title}</span>
        {marked && board.archived && <span className="mark">{t.archivedMark}</span>}
        <span className="role">{t.members.roles[board.role]}</span>
      </a>
    </li>
  );
}
