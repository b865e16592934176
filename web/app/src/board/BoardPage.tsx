import type { LiveBoard } from "@boardcast/client";
import { Archive, Keyboard, Users } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Announcer } from "../announce.js";
import { ConnectionState } from "../ConnectionState.js";
import { ProvideBoard, useBoard, useClient, usePeople, useStatus, useThing } from "../live.js";
import { go } from "../route.js";
import { t } from "../text/index.js";
import { Avatar } from "./CardTile.js";
import { Columns } from "./Columns.js";
import { Cursor, ProvideCursor } from "./cursor.js";
import { Filter, ProvideFilter, useFilter, useQuery } from "./filter.js";
import { InlineEdit } from "./InlineEdit.js";
import { Notices } from "./Notices.js";

// Dialogs come after the board: they are not needed to see it, and must be there without a network.
const loadCard = () => import("../card/CardDialog.js");
const loadKeys = () => import("../KeysDialog.js");
const loadMembers = () => import("../members/MembersDialog.js");
const loadArchive = () => import("../archive/ArchiveDialog.js");
const ArchiveDialog = lazy(loadArchive);
const CardDialog = lazy(loadCard);
const KeysDialog = lazy(loadKeys);
const MembersDialog = lazy(loadMembers);

/** A board, live. */
export function BoardPage({ id, card }: { id: string; card: string | undefined }) {
  const client = useClient();
  const [board, setBoard] = useState<LiveBoard>();
  const [cursor] = useState(() => new Cursor());
  const [filter] = useState(() => new Filter());
  useEffect(() => {
    const opened = client.board(id);
    opened.tellPresence({ doing: "viewing" });
    setBoard(opened);
    return () => {
      opened.tellPresence(null);
      opened.close();
    };
  }, [client, id]);
  if (!board) return null;
  return (
    <ProvideBoard value={board}>
      <ProvideCursor value={cursor}>
        <ProvideFilter value={filter}>
          <Board card={card} />
        </ProvideFilter>
      </ProvideCursor>
    </ProvideBoard>
  );
}

function Board({ card }: { card: string | undefined }) {
  const board = useBoard();
  const status = useStatus(board);
  const [keys, setKeys] = useState(false);
  const [members, setMembers] = useState(false);
  const [archive, setArchive] = useState(false);

  useEffect(() => {
    if (!status.loaded) return;
    for (const load of [loadCard, loadKeys, loadMembers, loadArchive]) void load().catch(() => {});
  }, [status.loaded]);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target } = event;
      const typing = target instanceof HTMLElement && target.matches("input, textarea, select");
      if (typing) return;
      if (event.key === "?") setKeys(true);
      const field = document.getElementById("filter");
      if (event.key !== "/" || !field) return;
      event.preventDefault();
      field.focus();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);

  return (
    <div className="page board">
      <header className="bar">
        <a
          href="/"
          className="back"
          onClick={(event) => {
            event.preventDefault();
            go("/");
          }}
        >
          {t.boards}
        </a>
        <span className="slash" aria-hidden="true">
          /
        </span>
        <Title />
        <FilterField />
        <People />
        <button
          type="button"
          className="icon"
          aria-label={t.members.title}
          title={t.members.title}
          onClick={() => setMembers(true)}
        >
          <Users aria-hidden="true" />
        </button>
        <button
          type="button"
          className="icon"
          aria-label={t.archiveTitle}
          title={t.archiveTitle}
          onClick={() => setArchive(true)}
        >
          <Archive aria-hidden="true" />
        </button>
        <ConnectionState board={board} />
        <button
          type="button"
          className="icon"
          aria-label={t.keys.open}
          onClick={() => setKeys(true)}
        >
          <Keyboard aria-hidden="true" />
        </button>
      </header>
      <Notices />
      <main>
        {status.phase === "gone" && <p className="empty">{t.boardGone}</p>}
        {status.phase === "outdated" && <p className="empty">{t.outdated}</p>}
        {!status.loaded && status.phase !== "gone" && (
          <p className="empty">{status.refused ?? t.loading}</p>
        )}
        {status.loaded && status.phase !== "gone" && <Columns key={status.role ?? ""} />}
      </main>
      <Suspense>
        {card && status.loaded && <CardDialog key={card} id={card} />}
        {keys && <KeysDialog close={() => setKeys(false)} />}
        {archive && <ArchiveDialog close={() => setArchive(false)} />}
        {members && <MembersDialog close={() => setMembers(false)} />}
      </Suspense>
      <Announcer />
    </div>
  );
}

function Title() {
  const board = useBoard();
  const head = useThing("head", "");
  const { role } = useStatus(board);
  const [renaming, setRenaming] = useState(false);
  useEffect(() => {
    document.title = head ? `${head.title} · ${t.boardcast}` : t.boardcast;
  }, [head]);
  if (renaming && head) {
    return (
      <InlineEdit
        label={t.boardTitle}
        text={head.title}
        done={(title) => {
          setRenaming(false);
          if (title?.trim() && title !== head.title) {
            board.submit({ type: "board.set", title: title.trim() });
          }
        }}
      />
    );
  }
  return (
    <h1>
      <button
        type="button"
        className="plain"
        disabled={role !== "admin"}
        onClick={() => setRenaming(true)}
      >
        {head?.title ?? ""}
      </button>
    </h1>
  );
}

function FilterField() {
  const filter = useFilter();
  const query = useQuery();
  return (
    <input
      id="filter"
      type="search"
      aria-label={t.filter}
      placeholder={t.filter}
      value={query}
      onChange={(event) => {
        filter.query = event.target.value;
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        filter.query = "";
        event.currentTarget.blur();
      }}
    />
  );
}

function People() {
  const board = useBoard();
  const { people, count } = usePeople(board);
  const users = [...new Set((people ?? []).map((person) => person.user))];
  return (
    <p className="people">
      <span className="unseen">{t.people(count ?? 0)}</span>
      {users.slice(0, 5).map((user) => (
        <Avatar key={user} user={user} />
      ))}
      {users.length > 5 && <span className="more">+{users.length - 5}</span>}
    </p>
  );
}
