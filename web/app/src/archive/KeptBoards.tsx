// Boards that are not in use: archived ones, and those in the bin. Each list is read when it is opened.
import type { BoardSummary } from "@boardcast/client";
import { RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { answered } from "../account/asked.js";
import { BoardItem } from "../boards/BoardItem.js";
import { useClient } from "../live.js";
import { go } from "../route.js";
import { moment, t } from "../text/index.js";
import { failure } from "../text/refusals.js";

type Binned = { id: string; title: string; ends: number };

export function KeptBoards() {
  return (
    <>
      <Kept title={t.kept.archived} list={ArchivedBoards} />
      <Kept title={t.kept.bin} list={Bin} />
    </>
  );
}

function Kept({ title, list: List }: { title: string; list(): React.ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="kept" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && <List />}
    </details>
  );
}

function ArchivedBoards() {
  const client = useClient();
  const [boards, setBoards] = useState<BoardSummary[]>();
  const [told, setTold] = useState("");
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const all: BoardSummary[] = [];
      for (;;) {
        const page = await client.boards(all.at(-1)?.board, true);
        all.push(...(page.boards ?? []));
        if (gone) return;
        setBoards([...all].sort((a, b) => a.title.localeCompare(b.title)));
        if (!page.more) return;
      }
    };
    load().catch((error) => gone || setTold(failure(error)));
    return () => {
      gone = true;
    };
  }, [client]);
  return (
    <>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      {boards?.length === 0 && <p className="empty">{t.kept.noneArchived}</p>}
      <ul>
        {boards?.map((board) => (
          <BoardItem key={board.board} board={board} />
        ))}
      </ul>
    </>
  );
}

function Bin() {
  const [boards, setBoards] = useState<Binned[]>();
  const [told, setTold] = useState("");
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const all: Binned[] = [];
      for (let next = ""; ; ) {
        const answer = await answered("GET", `/api/v1/bin${next && `?cursor=${next}`}`);
        if (gone) return;
        if (!answer.ok) return setTold(answer.detail);
        all.push(...(answer.body.boards as Binned[]));
        setBoards([...all].sort((a, b) => a.title.localeCompare(b.title)));
        if (!answer.body.next) return;
        next = `${answer.body.next}`;
      }
    };
    void load();
    return () => {
      gone = true;
    };
  }, []);
  async function restore(id: string) {
    const answer = await answered("POST", `/api/v1/bin/${id}/restore`);
    if (answer.ok) go(`/b/${id}`);
    else setTold(answer.detail);
  }
  return (
    <>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      {boards?.length === 0 && <p className="empty">{t.kept.binEmpty}</p>}
      <ul className="members">
        {boards?.map(({ id, title, ends }) => (
          <li key={id}>
            <span className="name">
              {title} <span className="role">{t.kept.ends(moment(ends))}</span>
            </span>
            <button
              type="button"
              aria-label={t.restoreThing(title)}
              onClick={() => void restore(id)}
            >
              <RotateCcw aria-hidden="true" />
              {t.restore}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
