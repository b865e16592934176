import type { Column } from "@boardcast/client";
import { Archive, FoldHorizontal } from "lucide-react";
import type { FormEvent } from "react";
import { useBoard } from "../live.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { t } from "../text/index.js";
import { useLook } from "./look.js";
import { Notices } from "./Notices.js";
import { useCanEdit } from "./rights.js";

/** What can be set of a column, and done with it. */
export default function ColumnDialog({ column, close }: { column: Column; close(): void }) {
  const board = useBoard();
  const look = useLook();
  const editable = useCanEdit();

  function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const title = `${fields.get("title")}`.trim();
    const limit = Number(fields.get("limit"));
    const kind = fields.get("hard") ? ("hard" as const) : ("soft" as const);
    const wip = limit > 0 ? { limit, kind } : null;
    const done = fields.get("done") === "on";
    const same = wip?.limit === column.wip?.limit && wip?.kind === column.wip?.kind;
    const set = {
      ...(title && title !== column.title && { title }),
      ...(!same && { wip }),
      ...(done !== (column.done ?? false) && { done }),
    };
    if (Object.keys(set).length > 0) {
      board.submit({ type: "column.set", column: column.id, ...set });
    }
    close();
  }

  return (
    <TitledDialog title={column.title} size="small" close={close}>
      <Notices />
      {editable && (
        <form className="form" onSubmit={save}>
          <label>
            {t.columnTitle}
            <input name="title" defaultValue={column.title} required maxLength={500} />
          </label>
          <label>
            {t.columnDialog.limit}
            <input
              name="limit"
              type="number"
              min={1}
              max={20_000}
              defaultValue={column.wip?.limit ?? ""}
              placeholder={t.columnDialog.none}
              aria-description={t.columnDialog.limitHint}
            />
          </label>
          <label className="check">
            <input name="hard" type="checkbox" defaultChecked={column.wip?.kind === "hard"} />
            {t.columnDialog.hard}
          </label>
          <label className="check">
            <input name="done" type="checkbox" defaultChecked={column.done ?? false} />
            {t.columnDialog.done}
          </label>
          <button type="submit" className="primary">
            {t.save}
          </button>
        </form>
      )}
      <div className="buttons">
        <button
          type="button"
          onClick={() => {
            look.collapse(column.id);
            close();
          }}
        >
          <FoldHorizontal aria-hidden="true" />
          {t.columnDialog.collapse}
        </button>
        {editable && (
          <button
            type="button"
            onClick={() => {
              board.submit({ type: "column.set", column: column.id, archived: true });
              close();
            }}
          >
            <Archive aria-hidden="true" />
            {t.archiveColumn(column.title)}
          </button>
        )}
      </div>
    </TitledDialog>
  );
}
