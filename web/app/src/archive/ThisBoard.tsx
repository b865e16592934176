import { useState } from "react";
import { answered } from "../account/asked.js";
import { useBoard, useStatus, useThing } from "../live.js";
import { go } from "../route.js";
import { t } from "../text/index.js";

/** Archives the whole board, restores it, or deletes it into the bin: for its admins. */
export function ThisBoard() {
  const board = useBoard();
  const head = useThing("head", "");
  const { role } = useStatus(board);
  const [asks, setAsks] = useState(false);
  const [told, setTold] = useState("");
  if (role !== "admin" || !head) return null;
  const archived = head.archived === true;

  async function remove() {
    const answer = await answered("DELETE", `/api/v1/boards/${board.id}`);
    if (answer.ok) go("/");
    else setTold(answer.detail);
  }

  return (
    <section className="share" aria-labelledby="this-board">
      <h3 id="this-board">{t.kept.thisBoard}</h3>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      {asks ? (
        <p className="row">
          <span>{t.kept.really(head.title)}</span>
          <button type="button" className="compact danger" onClick={() => void remove()}>
            {t.kept.remove}
          </button>
          <button type="button" className="compact" onClick={() => setAsks(false)}>
            {t.cancel}
          </button>
        </p>
      ) : (
        <p className="row">
          <button
            type="button"
            className="compact"
            onClick={() => board.submit({ type: "board.set", archived: !archived })}
          >
            {archived ? t.kept.restoreBoard : t.kept.archiveBoard}
          </button>
          <button type="button" className="compact" onClick={() => setAsks(true)}>
            {t.kept.deleteBoard}
          </button>
        </p>
      )}
    </section>
  );
}
