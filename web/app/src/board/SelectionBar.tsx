import { Archive, X } from "lucide-react";
import { useEffect } from "react";
import { useAll, useBoard, useColumns } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { t } from "../text/index.js";
import { archiveAll, assignAll, cardsOf, labelAll, moveAll } from "./bulk.js";
import { useCanEdit } from "./rights.js";
import { useSelected, useSelection } from "./selection.js";

/** What can be done to the selected cards, while there are any. */
export function SelectionBar() {
  const selected = useSelected();
  return selected.size === 0 ? null : <Bar selected={selected} />;
}

function Bar({ selected }: { selected: ReadonlySet<string> }) {
  const board = useBoard();
  const selection = useSelection();
  // Cards that are archived or gone are not selected any more.
  const cards = useAll("cards");
  useEffect(() => {
    for (const id of selected) {
      const card = cards.length > 0 ? board.get("cards", id) : undefined;
      if (!card || card.archived) selection.toggle(id);
    }
  }, [board, cards, selected, selection]);
  const editable = useCanEdit();
  const count = cardsOf(board, selected).length;
  if (count === 0) return null;
  return (
    <div className="selection" role="toolbar" aria-label={t.select.title}>
      <span className="count">{t.select.count(count)}</span>
      {editable && <Tools selected={selected} />}
      <IconButton icon={X} label={t.select.clear} act={() => selection.clear()} />
    </div>
  );
}

function Tools({ selected }: { selected: ReadonlySet<string> }) {
  const board = useBoard();
  const columns = useColumns().map(({ id, title }) => ({ id, name: title }));
  const labels = useAll("labels").map(({ id, name, color }) => ({
    id,
    name: name || (color ?? ""),
  }));
  const members = useAll("members");
  return (
    <>
      <Choice label={t.select.move} among={columns} chosen={(id) => moveAll(board, selected, id)} />
      <Choice
        label={t.select.label}
        among={labels}
        chosen={(id) => labelAll(board, selected, id)}
      />
      <Choice
        label={t.select.assign}
        among={members}
        chosen={(id) => assignAll(board, selected, id)}
      />
      <button type="button" onClick={() => archiveAll(board, selected)}>
        <Archive aria-hidden="true" />
        {t.archive}
      </button>
    </>
  );
}

/** A field that offers things, and is empty again once one was chosen. */
function Choice(props: {
  label: string;
  among: readonly { id: string; name: string }[];
  chosen(id: string): void;
}) {
  if (props.among.length === 0) return null;
  const sorted = [...props.among];
  return (
    <select
      className="compact"
      aria-label={props.label}
      value=""
      onChange={(event) => props.chosen(event.target.value)}
    >
      <option value="" disabled hidden>
        {props.label}
      </option>
      {sorted.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
