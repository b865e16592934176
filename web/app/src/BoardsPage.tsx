import type { BoardSummary } from "@boardcast/client";
import { type FormEvent, useEffect, useState } from "react";
import { KeptBoards } from "./archive/KeptBoards.js";
import { at } from "./base.js";
import { ConnectionState } from "./ConnectionState.js";
import { useClient } from "./live.js";
import { go } from "./route.js";
import { leave } from "./session.js";
import { t } from "./text/index.js";

/** The boards of the user. */
export function BoardsPage() {
  const client = useClient();
  const [boards, setBoards] = useState<BoardSummary[]>();
  const [told, setTold] = useState("");

  useEffect(() => {
    let gone = false;
    const load = async () => {
      const all: BoardSummary[] = [];
      for (;;) {
        const page = await client.boards(all.at(-1)?.board);
        all.push(...(page.boards ?? []));
        if (gone) return;
        setBoards([...all].sort((a, b) => a.title.localeCompare(b.title)));
        if (!page.more) return;
      }
    };
    load().catch((error) => gone || setTold(`${error.message}`));
    document.title = t.boardcast;
    return () => {
      gone = true;
    };
  }, [client]);

  async function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const title = `${new FormData(event.currentTarget).get("title")}`.trim();
    if (!title) return;
    try {
      const id = await client.createBoard(title);
      const board = client.board(id);
      const columns = t.firstColumns.map((title, at) => ({
        type: "column.create" as const,
        column: `column-${at + 1}`,
        title,
      }));
      board.submit(columns);
      board.close();
      go(`/b/${id}`);
    } catch (error) {
      setTold(`${(error as Error).message}`);
    }
  }

  return (
    <div className="page">
      <header className="bar">
        <h1>{t.boards}</h1>
        <ConnectionState />
        <a
          href={at("/me")}
          className="back"
          onClick={(event) => {
            event.preventDefault();
            go("/me");
          }}
        >
          {t.me.title}
        </a>
        <button
          type="button"
          className="quiet"
          onClick={() => void client.forgetViews().then(leave)}
        >
          {t.account.signOut}
        </button>
      </header>
      <main className="boards">
        <form className="new-board" onSubmit={create}>
          <input
            name="title"
            aria-label={t.boardTitle}
            placeholder={t.boardTitle}
            maxLength={500}
          />
          <button type="submit" className="primary">
            {t.newBoard}
          </button>
        </form>
        <p role="alert" className="told">
          {told}
        </p>
        {boards?.length === 0 && <p className="empty">{t.noBoards}</p>}
        <ul>
          {boards?.map((board) => (
            <li key={board.board}>
              <a
                href={at(`/b/${board.board}`)}
                onClick={(event) => {
                  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                  event.preventDefault();
                  go(`/b/${board.board}`);
                }}
              >
                <span className="title">{board.title}</span>
                {board.archived && <span className="mark">{t.archivedMark}</span>}
                <span className="role">{board.role}</span>
              </a>
            </li>
          ))}
        </ul>
        <KeptBoards />
      </main>
    </div>
  );
}
