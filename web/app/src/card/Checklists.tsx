import { byRank, type Card, type Checklist, newId } from "@boardcast/client";
import { Trash2 } from "lucide-react";
import type { KeyboardEvent } from "react";
import { useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { t } from "../text/index.js";

/** The checklists of a card. */
export function Checklists({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const lists = [...(card.checklists ?? [])].sort(byRank);
  return (
    <section className="checklists">
      {lists.map((list) => (
        <List key={list.id} card={card.id} list={list} editable={editable} />
      ))}
      {editable && (
        <button
          type="button"
          className="quiet"
          onClick={() => {
            const checklist = newId();
            board.submit({
              type: "checklist.create",
              card: card.id,
              checklist,
              title: t.checklists,
            });
          }}
        >
          {t.addChecklist}
        </button>
      )}
    </section>
  );
}

function List({ card, list, editable }: { card: string; list: Checklist; editable: boolean }) {
  const board = useBoard();
  const items = [...(list.items ?? [])].sort(byRank);
  const done = items.filter((item) => item.done).length;
  const about = { card, checklist: list.id };
  function pressed(event: KeyboardEvent<HTMLInputElement>) {
    const text = event.currentTarget.value.trim();
    if (event.key !== "Enter" || !text) return;
    event.preventDefault();
    board.submit({ type: "item.create", ...about, item: newId(), text });
    event.currentTarget.value = "";
  }
  return (
    <div className="checklist">
      <h3>
        {list.title}
        <span className="count">{t.checked(done, items.length)}</span>
        {editable && (
          <IconButton
            icon={Trash2}
            label={t.deleteThing(list.title)}
            act={() => board.submit({ type: "checklist.remove", ...about })}
          />
        )}
      </h3>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <label className="check">
              <input
                type="checkbox"
                disabled={!editable}
                checked={item.done ?? false}
                onChange={(event) => {
                  const done = event.target.checked;
                  board.submit({ type: "item.set", ...about, item: item.id, done });
                }}
              />
              <span className={item.done ? "done" : ""}>{item.text}</span>
            </label>
          </li>
        ))}
      </ul>
      {editable && <input aria-label={t.addItem} placeholder={t.addItem} onKeyDown={pressed} />}
    </div>
  );
}
