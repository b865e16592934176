import { RotateCcw, Trash2 } from "lucide-react";
import { Notices } from "../board/Notices.js";
import { useCanEdit } from "../board/rights.js";
import { useAll, useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { moment, t } from "../text/index.js";
import { ThisBoard } from "./ThisBoard.js";

/** Cards that are listed; a filter over all of the archive is the server's to give. */
const LISTED_MAX = 200;

/** What has been archived: it comes back, or goes for good. */
export default function ArchiveDialog({ close }: { close(): void }) {
  const board = useBoard();
  const columns = useAll("columns").filter((column) => column.archived);
  const cards = useAll("cards").filter((card) => card.archived);
  const newest = [...cards].sort((a, b) => b.changed.at - a.changed.at).slice(0, LISTED_MAX);
  const editable = useCanEdit();
  return (
    <TitledDialog title={t.archiveTitle} size="small" close={close}>
      <Notices />
      {cards.length + columns.length === 0 && <p className="empty">{t.archiveEmpty}</p>}
      {cards.length > LISTED_MAX && <p>{t.archiveNewest(LISTED_MAX, cards.length)}</p>}
      <ul className="members">
        {columns.map(({ id, title }) => (
          <li key={id}>
            <span className="name">
              {title} <span className="role">{t.column}</span>
            </span>
            {editable && (
              <Restore
                title={title}
                restore={() => {
                  board.submit({ type: "column.set", column: id, archived: false });
                }}
              />
            )}
          </li>
        ))}
        {newest.map(({ id, title, changed }) => (
          <li key={id}>
            <span className="name">
              {title} <time className="role">{moment(changed.at)}</time>
            </span>
            {editable && (
              <>
                <Restore
                  title={title}
                  restore={() => {
                    board.submit({ type: "card.archive", card: id, archived: false });
                  }}
                />
                <IconButton
                  icon={Trash2}
                  label={t.deleteThing(title)}
                  act={() => board.submit({ type: "card.remove", card: id })}
                />
              </>
            )}
          </li>
        ))}
      </ul>
      <ThisBoard />
    </TitledDialog>
  );
}

function Restore({ title, restore }: { title: string; restore(): void }) {
  return (
    <button type="button" aria-label={t.restoreThing(title)} onClick={restore}>
      <RotateCcw aria-hidden="true" />
      {t.restore}
    </button>
  );
}
