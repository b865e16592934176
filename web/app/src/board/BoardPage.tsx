import type { LiveBoard } from "@boardcast/client";
import { Archive, Keyboard, Redo2, Search, Settings2, Undo2, Users } from "lucide-react";
import { type CSSProperties, lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Announcer } from "../announce.js";
import { ConnectionState } from "../ConnectionState.js";
import { nextFrame, quietMoment } from "../idle.js";
import { ProvideBoard, useBoard, useClient, usePeople, useStatus, useThing } from "../live.js";
import type { Action } from "../Palette.js";
import { Back } from "../parts/Back.js";
import { go } from "../route.js";
import { moment, t } from "../text/index.js";
import { refusal } from "../text/refusals.js";
import { Told } from "../told.js";
import { Avatar } from "./CardTile.js";
import { Columns } from "./Columns.js";
import { loadColumn } from "./ColumnView.js";
import { Cursor, ProvideCursor } from "./cursor.js";
import { FilterField, focusFilter } from "./FilterField.js";
import { Filter, ProvideFilter } from "./filter.js";
import { InlineEdit } from "./InlineEdit.js";
import { hueOf } from "./LabelChip.js";
import { GROUPS, type Group, Look, ProvideLook, SIZES, useLook, useLookNow } from "./look.js";
import { Notices } from "./Notices.js";
import { SelectionBar } from "./SelectionBar.js";
import { Swimlanes } from "./Swimlanes.js";
import { ProvideSeen, Seen, SeenField, useLooking } from "./seen.js";
import { ProvideSelection, Selection } from "./selection.js";
import { takeBack } from "./undo.js";

// Dialogs come after the board: they are not needed to see it, and must be there without a network.
const loadCard = () => import("../card/CardDialog.js");
const loadKeys = () => import("../KeysDialog.js");
const loadMembers = () => import("../members/MembersDialog.js");
const loadArchive = () => import("../archive/ArchiveDialog.js");
const loadPalette = () => import("../Palette.js");
const loadSettings = () => import("../settings/BoardDialog.js");
const ArchiveDialog = lazy(loadArchive);
const BoardDialog = lazy(loadSettings);
const CardDialog = lazy(loadCard);
const KeysDialog = lazy(loadKeys);
const MembersDialog = lazy(loadMembers);
const Palette = lazy(loadPalette);

const LATER = [loadKeys, loadMembers, loadArchive, loadPalette, loadSettings, loadColumn] as const;

/** Cards can be opened as soon as they are painted; the rest comes piece by piece in quiet moments. */
async function loadDialogs(): Promise<void> {
  await nextFrame();
  await loadCard().catch(() => {});
  for (const load of LATER) {
    await quietMoment();
    await load().catch(() => {});
  }
}

type Shown = "keys" | "members" | "archive" | "palette" | "settings";

/** A board, live. */
export function BoardPage({ id, card }: { id: string; card: string | undefined }) {
  const client = useClient();
  const [board, setBoard] = useState<LiveBoard>();
  const [cursor] = useState(() => new Cursor());
  const [filter] = useState(() => new Filter());
  const [selection] = useState(() => new Selection());
  const [look] = useState(() => new Look(id));
  const [seen] = useState(() => new Seen());
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
          <ProvideSelection value={selection}>
            <ProvideLook value={look}>
              <ProvideSeen value={seen}>
                <Board card={card} selection={selection} />
              </ProvideSeen>
            </ProvideLook>
          </ProvideSelection>
        </ProvideFilter>
      </ProvideCursor>
    </ProvideBoard>
  );
}

function Board({ card, selection }: { card: string | undefined; selection: Selection }) {
  const board = useBoard();
  const status = useStatus(board);
  const [shown, show] = useState<Shown>();
  const close = () => show(undefined);
  useLooking(card);

  useEffect(() => {
    if (status.loaded) void loadDialogs();
  }, [status.loaded]);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target, key } = event;
      const control = event.ctrlKey || event.metaKey;
      if (control && key.toLowerCase() === "k") {
        event.preventDefault();
        return show("palette");
      }
      const typing = target instanceof HTMLElement && target.matches("input, textarea, select");
      if (typing) return;
      if (control && key.toLowerCase() === "z") {
        event.preventDefault();
        return void takeBack(board, event.shiftKey ? "redo" : "undo");
      }
      if (control || event.altKey) return;
      if (key === "?") show("keys");
      if (key === "Escape") selection.clear();
      if (key === "/" && focusFilter()) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [board, selection]);

  const actions = useActions(show);
  const { size } = useLookNow();
  return (
    <div className="page board" data-size={size} {...useBackground()}>
      <header className="bar">
        <Back />
        <Title />
        <FilterField />
        <GroupField />
        <SeenField />
        <People />
        <Undo />
        <Icon label={t.palette.open} open={() => show("palette")}>
          <Search aria-hidden="true" />
        </Icon>
        <Icon label={t.members.title} open={() => show("members")}>
          <Users aria-hidden="true" />
        </Icon>
        <Icon label={t.archiveTitle} open={() => show("archive")}>
          <Archive aria-hidden="true" />
        </Icon>
        <Icon label={t.settings.title} open={() => show("settings")}>
          <Settings2 aria-hidden="true" />
        </Icon>
        <ConnectionState board={board} />
        <Icon label={t.keys.open} open={() => show("keys")} onlyWithKeys>
          <Keyboard aria-hidden="true" />
        </Icon>
      </header>
      <Notices />
      {status.asOf !== undefined && status.phase !== "gone" && (
        <p className="as-of">{t.asOf(moment(status.asOf))}</p>
      )}
      <ArchivedBoard />
      <main>
        {status.phase === "gone" && <p className="empty">{t.boardGone}</p>}
        {status.phase === "outdated" && <p className="empty">{t.outdated}</p>}
        {!status.loaded && status.phase !== "gone" && (
          <p className="empty">
            {status.refused ? refusal(status.refused.code, status.refused.hint) : t.loading}
          </p>
        )}
        {status.loaded && status.phase !== "gone" && <Cards key={status.role ?? ""} />}
        <SelectionBar />
      </main>
      <Suspense>
        {card && status.loaded && <CardDialog key={card} id={card} />}
        {shown === "keys" && <KeysDialog close={close} />}
        {shown === "archive" && <ArchiveDialog close={close} />}
        {shown === "settings" && <BoardDialog close={close} />}
        {shown === "members" && <MembersDialog close={close} />}
        {shown === "palette" && <Palette board={board} actions={actions} close={close} />}
      </Suspense>
      <Told />
      <Announcer />
    </div>
  );
}

/** The colour on which the board stands. */
function useBackground() {
  const background = useThing("head", "")?.background;
  const hue = hueOf(background);
  if (hue !== undefined) return { "data-hued": true, style: { "--hue": hue } as CSSProperties };
  if (!background?.startsWith("#")) return {};
  return { "data-tinted": true, style: { "--tint": background } as CSSProperties };
}

/** What is said of a board that is archived. */
function ArchivedBoard() {
  return useThing("head", "")?.archived ? <p className="as-of">{t.kept.readOnly}</p> : null;
}

function Cards() {
  return useLookNow().group === "none" ? <Columns /> : <Swimlanes />;
}

/** By what the cards are grouped. */
function GroupField() {
  const look = useLook();
  const { group } = useLookNow();
  return (
    <select
      id="group"
      aria-label={t.lanes.by}
      value={group}
      onChange={(event) => look.group(event.target.value as Group)}
    >
      {GROUPS.map((by) => (
        <option key={by} value={by}>
          {t.lanes.groups[by]}
        </option>
      ))}
    </select>
  );
}

/** What the palette offers besides boards and cards. */
function useActions(show: (what: Shown) => void): Action[] {
  const board = useBoard();
  const look = useLook();
  return useMemo(
    () => [
      { id: "undo", name: t.undoing.undo, keys: "Ctrl Z", run: () => void takeBack(board, "undo") },
      {
        id: "redo",
        name: t.undoing.redo,
        keys: "Ctrl Shift Z",
        run: () => void takeBack(board, "redo"),
      },
      ...GROUPS.map((by) => ({
        id: `group-${by}`,
        name: t.lanes.groups[by],
        run: () => look.group(by),
      })),
      ...SIZES.map((size) => ({
        id: `size-${size}`,
        name: t.sizes[size],
        run: () => look.size(size),
      })),
      { id: "settings", name: t.settings.title, run: () => show("settings") },
      { id: "members", name: t.members.title, run: () => show("members") },
      { id: "archive", name: t.archiveTitle, run: () => show("archive") },
      // The field takes the focus once the palette has given it back.
      { id: "filter", name: t.palette.filter, keys: "/", run: () => setTimeout(focusFilter, 100) },
      { id: "keys", name: t.keys.open, keys: "?", run: () => show("keys") },
      { id: "boards", name: t.allBoards, run: () => go("/") },
    ],
    [board, look, show],
  );
}

function Icon(props: {
  label: string;
  onlyWithKeys?: boolean;
  disabled?: boolean;
  open(): void;
  children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      className={props.onlyWithKeys ? "icon with-keys" : "icon"}
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled}
      onClick={props.open}
    >
      {props.children}
    </button>
  );
}

function Undo() {
  const board = useBoard();
  const { role, undo, redo } = useStatus(board);
  if (role === "viewer") return null;
  return (
    <>
      <Icon label={t.undoing.undo} disabled={!undo} open={() => void takeBack(board, "undo")}>
        <Undo2 className="turns" aria-hidden="true" />
      </Icon>
      <Icon label={t.undoing.redo} disabled={!redo} open={() => void takeBack(board, "redo")}>
        <Redo2 className="turns" aria-hidden="true" />
      </Icon>
    </>
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
