import { byRank, type Card, type Checklist, type Item, newId } from "@boardcast/client";
import { Pencil, Trash2 } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { announce } from "../announce.js";
import { InlineEdit } from "../board/InlineEdit.js";
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
  const [renaming, setRenaming] = useState(false);
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
  function move(item: Item, step: number) {
    const at = items.indexOf(item);
    const other = items[at + step];
    if (!other) return;
    const place = step < 0 ? { before: other.id } : { after: other.id };
    board.submit({ type: "item.move", ...about, item: item.id, place });
    announce(t.items.moved(item.text, at + step + 1, items.length));
  }
  return (
    <div className="checklist">
      {renaming ? (
        <InlineEdit
          label={t.items.listTitle}
          text={list.title}
          done={(title) => {
            setRenaming(false);
            if (!title?.trim() || title === list.title) return;
            board.submit({ type: "checklist.set", ...about, title: title.trim() });
          }}
        />
      ) : (
        <h3>
          <button
            type="button"
            className="plain"
            disabled={!editable}
            onClick={() => setRenaming(true)}
          >
            {list.title}
          </button>
          <span className="count">{t.checked(done, items.length)}</span>
          {editable && (
            <IconButton
              icon={Trash2}
              label={t.deleteThing(list.title)}
              act={() => board.submit({ type: "checklist.remove", ...about })}
            />
          )}
        </h3>
      )}
      <ul>
        {items.map((item) => (
          <Line
            key={item.id}
            item={item}
            editable={editable}
            set={(set) => board.submit({ type: "item.set", ...about, item: item.id, ...set })}
            remove={() => board.submit({ type: "item.remove", ...about, item: item.id })}
            move={(step) => move(item, step)}
          />
        ))}
      </ul>
      {editable && <input aria-label={t.addItem} placeholder={t.addItem} onKeyDown={pressed} />}
    </div>
  );
}

/** An item; Alt and an arrow move it up and down. */
function Line(props: {
  item: Item;
  editable: boolean;
  set(set: { done?: boolean; text?: string }): void;
  remove(): void;
  move(step: number): void;
}) {
  const { item, editable, set, remove, move } = props;
  const [changing, setChanging] = useState(false);
  if (changing) {
    return (
      <li>
        <InlineEdit
          label={t.items.text}
          text={item.text}
          done={(text) => {
            setChanging(false);
            if (text?.trim() && text !== item.text) set({ text: text.trim() });
          }}
        />
      </li>
    );
  }
  return (
    <li>
      <label className="check">
        <input
          type="checkbox"
          disabled={!editable}
          checked={item.done ?? false}
          aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown"
          onChange={(event) => set({ done: event.target.checked })}
          onKeyDown={(event) => {
            const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
            if (!event.altKey || step === 0) return;
            event.preventDefault();
            move(step);
          }}
        />
        <span className={item.done ? "done" : ""}>{item.text}</span>
      </label>
      {editable && (
        <>
          <IconButton
            faint
            icon={Pencil}
            label={t.items.change(item.text)}
            act={() => setChanging(true)}
          />
          <IconButton faint icon={Trash2} label={t.deleteThing(item.text)} act={remove} />
        </>
      )}
    </li>
  );
}
