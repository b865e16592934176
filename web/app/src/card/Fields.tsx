import { type Card, newId, type Priority } from "@boardcast/client";
import { Archive, ArchiveRestore, Trash2 } from "lucide-react";
import type { KeyboardEvent } from "react";
import { moveCard } from "../board/actions.js";
import { LabelChip } from "../board/LabelChip.js";
import { useAll, useBoard, useColumns } from "../live.js";
import { ColorSelect } from "../parts/ColorSelect.js";
import { TextField } from "../parts/TextField.js";
import { byName, t } from "../text/index.js";
import { CustomFields } from "./CustomFields.js";
import { DateField } from "./DateField.js";
import { People } from "./People.js";

const PRIORITIES = ["none", "low", "medium", "high", "urgent"] as const satisfies Priority[];
/** When a working day begins and ends: the times of a day that is chosen first. */
const BEGINS = "09:00";
const ENDS = "17:00";
/** The largest estimate, in points: the limit of the protocol. */
const ESTIMATE_MAX = 1_000_000;

/** What is set of a card besides its texts. */
export function Fields({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const columns = useColumns();
  const sprints = [...useAll("sprints")].sort((a, b) => byName(a.title, b.title));
  const set = (fields: object) => board.submit({ type: "card.set", card: card.id, set: fields });
  const estimate = (text: string) => {
    const points = Number(text);
    if (text === "") set({ estimate: null });
    else if (Number.isInteger(points) && points >= 0 && points <= ESTIMATE_MAX)
      set({ estimate: points });
  };
  return (
    <fieldset disabled={!editable}>
      <label>
        {t.column}
        <select
          value={card.column}
          onChange={(event) => moveCard(board, card.id, event.target.value)}
        >
          {columns.map((column) => (
            <option key={column.id} value={column.id}>
              {column.title}
            </option>
          ))}
        </select>
      </label>
      <People card={card} editable={editable} />
      <label>
        {t.priority}
        <select
          value={card.priority ?? "none"}
          onChange={(event) => set({ priority: event.target.value as Priority })}
        >
          {PRIORITIES.map((priority) => (
            <option key={priority} value={priority}>
              {t.priorities[priority]}
            </option>
          ))}
        </select>
      </label>
      <DateField
        label={t.start}
        value={card.start}
        otherwise={BEGINS}
        set={(start) => set({ start })}
      />
      <DateField label={t.due} value={card.due} otherwise={ENDS} set={(due) => set({ due })} />
      {typeof card.due === "number" && (
        <label className="check">
          <input
            type="checkbox"
            checked={card.complete ?? false}
            onChange={(event) => set({ complete: event.target.checked })}
          />
          {t.complete}
        </label>
      )}
      <div className="field">
        <span aria-hidden="true">{t.estimate}</span>
        <TextField
          label={t.estimate}
          inputMode="numeric"
          maxLength={7}
          text={typeof card.estimate === "number" ? `${card.estimate}` : ""}
          take={estimate}
        />
      </div>
      {sprints.length > 0 && (
        <label>
          {t.sprint}
          <select
            value={card.sprint ?? ""}
            onChange={(event) => set({ sprint: event.target.value || null })}
          >
            <option value="" />
            {sprints.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
      )}
      <CustomFields card={card} />
      <Labels card={card} editable={editable} />
      <div className="field">
        <span aria-hidden="true">{t.cover}</span>
        <ColorSelect label={t.cover} color={card.cover} set={(cover) => set({ cover })} />
      </div>
      <button
        type="button"
        onClick={() => {
          board.submit({ type: "card.archive", card: card.id, archived: !card.archived });
        }}
      >
        {card.archived ? <ArchiveRestore aria-hidden="true" /> : <Archive aria-hidden="true" />}
        {card.archived ? t.restore : t.archive}
      </button>
      {card.archived && (
        <button
          type="button"
          className="danger"
          onClick={() => board.submit({ type: "card.remove", card: card.id })}
        >
          <Trash2 aria-hidden="true" />
          {t.deleteThing(card.title)}
        </button>
      )}
    </fieldset>
  );
}

/** The labels of the board, with those of the card ticked; a new one goes onto the card at once. */
function Labels({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const labels = [...useAll("labels")].sort((a, b) => byName(a.name ?? "", b.name ?? ""));
  function pressed(event: KeyboardEvent<HTMLInputElement>) {
    const name = event.currentTarget.value.trim();
    if (event.key !== "Enter" || !name) return;
    event.preventDefault();
    const label = newId();
    board.submit([
      { type: "label.create", label, name },
      { type: "card.label", card: card.id, label, on: true },
    ]);
    event.currentTarget.value = "";
  }
  if (!editable && labels.length === 0) return null;
  return (
    <div className="choose">
      <span>{t.labels}</span>
      {labels.map((label) => (
        <label key={label.id} className="check">
          <input
            type="checkbox"
            checked={card.labels?.includes(label.id) ?? false}
            onChange={(event) => {
              const on = event.target.checked;
              board.submit({ type: "card.label", card: card.id, label: label.id, on });
            }}
          />
          <LabelChip id={label.id} />
        </label>
      ))}
      {editable && (
        <input
          aria-label={t.newLabel}
          placeholder={t.newLabel}
          maxLength={500}
          onKeyDown={pressed}
        />
      )}
    </div>
  );
}
