import type { BoardSummary } from "@boardcast/client";
import { type FormEvent, lazy, Suspense, useEffect, useState } from "react";
import { KeptBoards } from "./archive/KeptBoards.js";
import { at } from "./base.js";
import { BoardItem } from "./boards/BoardItem.js";
import { RecentBoards } from "./boards/RecentBoards.js";
import { makeBoard, TEMPLATES, type Template } from "./boards/templates.js";
import { ConnectionState } from "./ConnectionState.js";
import { useClient } from "./live.js";
import { OfflineBoards } from "./offline/OfflineBoards.js";
import type { Action } from "./Palette.js";
import { SignOut } from "./parts/SignOut.js";
import { follow, go, useSearched } from "./route.js";
import { SearchField } from "./search/SearchField.js";
import { isAdministrator } from "./session.js";
import { byName, t } from "./text/index.js";
import { failure } from "./text/refusals.js";

const loadFound = () => import("./search/Found.js");
const loadPalette = () => import("./Palette.js");
const Found = lazy(loadFound);
const ImportDialog = lazy(() => import("./boards/ImportDialog.js"));
const Palette = lazy(loadPalette);

/** The boards of the user. */
export function BoardsPage() {
  const client = useClient();
  const [boards, setBoards] = useState<BoardSummary[]>();
  const [told, setTold] = useState("");
  const [searched, search] = useSearched();
  const isSearched = searched.trim() !== "";
  const [palette, openPalette] = useState(false);
  const [importing, setImporting] = useState(false);
  const [administers, setAdministers] = useState(false);
  useEffect(() => {
    void isAdministrator().then(setAdministers);
  }, []);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      openPalette(true);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);

  useEffect(() => {
    let gone = false;
    const load = async () => {
      const all: BoardSummary[] = [];
      for (;;) {
        const page = await client.boards(all.at(-1)?.board);
        all.push(...(page.boards ?? []));
        if (gone) return;
        setBoards([...all].sort((a, b) => byName(a.title, b.title)));
        if (!page.more) return;
      }
    };
    // What was imported is in the list when its dialog is closed.
    if (!importing) load().catch((error) => gone || setTold(failure(error)));
    document.title = t.boardcast;
    return () => {
      gone = true;
    };
  }, [client, importing]);

  async function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const title = `${fields.get("title")}`.trim();
    const template = fields.get("template") as Template;
    if (!title && template !== "sample") return;
    try {
      go(`/b/${await makeBoard(client, title, template)}`);
    } catch (error) {
      setTold(failure(error));
    }
  }

  return (
    <div className="page">
      <header className="bar">
        <h1>{t.boards}</h1>
        <ConnectionState />
        {administers && (
          <a href={at("/admin")} className="back" onClick={(event) => follow(event, "/admin")}>
            {t.admin.title}
          </a>
        )}
        <a href={at("/me")} className="back" onClick={(event) => follow(event, "/me")}>
          {t.me.title}
        </a>
        <SignOut />
      </header>
      <main className="boards">
        <SearchField text={searched} type={search} />
        {isSearched && (
          <Suspense>
            <Found text={searched.trim()} />
          </Suspense>
        )}
        <form className="new-board" onSubmit={create}>
          <input
            name="title"
            aria-label={t.boardTitle}
            placeholder={t.boardTitle}
            maxLength={500}
          />
          <select name="template" className="compact" aria-label={t.template}>
            {TEMPLATES.map((template) => (
              <option key={template} value={template}>
                {t.templates[template]}
              </option>
            ))}
          </select>
          <button type="submit" className="primary">
            {t.newBoard}
          </button>
          <button type="button" onClick={() => setImporting(true)}>
            {t.importing.button}
          </button>
        </form>
        <p role="alert" className="told">
          {told}
        </p>
        {!boards && <OfflineBoards />}
        {boards && !isSearched && <RecentBoards boards={boards} />}
        {boards?.length === 0 && <p className="empty">{t.noBoards}</p>}
        <ul>
          {boards?.filter(fits(searched)).map((board) => (
            <BoardItem key={board.board} board={board} marked />
          ))}
        </ul>
        <KeptBoards />
      </main>
      <Suspense>
        {importing && <ImportDialog close={() => setImporting(false)} />}
        {palette && <Palette actions={actions(administers)} close={() => openPalette(false)} />}
      </Suspense>
    </div>
  );
}

/** What the palette offers besides boards. */
function actions(administers: boolean): Action[] {
  const focusSearch = () => document.getElementById("search")?.focus();
  return [
    // The field takes the focus once the palette has given it back.
    {
      id: "search-field",
      name: t.search.title,
      keys: "/",
      run: () => setTimeout(focusSearch, 100),
    },
    { id: "me", name: t.me.title, run: () => go("/me") },
    ...(administers ? [{ id: "admin", name: t.admin.title, run: () => go("/admin") }] : []),
  ];
}

/** Whether the title of a board has all words of what is searched. */
function fits(searched: string): (board: BoardSummary) => boolean {
  const words = searched.toLowerCase().split(/\s+/);
  return ({ title }) => words.every((word) => title.toLowerCase().includes(word));
}
