import type { Card, LiveBoard } from "@boardcast/client";
import { type KeyboardEvent, useId, useState } from "react";
import { useBoard } from "../live.js";
import { t } from "../text/index.js";

/** Cards that are offered at most: who looks for another one types more. */
const OFFERED_MAX = 8;

/** A field in which a card of the board is chosen by its title or its number. */
export function CardPicker(props: {
  label: string;
  fits(card: Card): boolean;
  chosen(card: string): void;
}) {
  const board = useBoard();
  const list = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const offers = offered(board, text, props.fits);
  const chosen = offers[Math.min(at, offers.length - 1)];

  function choose(card: Card | undefined) {
    if (!card) return;
    setText("");
    setAt(0);
    props.chosen(card.id);
  }

  function pressed(event: KeyboardEvent) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && offers.length > 0) setAt((at + step + offers.length) % offers.length);
    else if (event.key === "Enter") choose(chosen);
    else if (event.key === "Escape" && text !== "") setText("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div className="picker">
      <input
        role="combobox"
        aria-label={props.label}
        placeholder={props.label}
        aria-autocomplete="list"
        aria-expanded={offers.length > 0}
        aria-controls={list}
        aria-activedescendant={chosen && `${list}-${chosen.id}`}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={pressed}
      />
      <div id={list} role="listbox" aria-label={props.label} hidden={offers.length === 0}>
        {offers.map((card) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus
          <div
            key={card.id}
            id={`${list}-${card.id}`}
            role="option"
            aria-selected={card === chosen}
            onClick={() => choose(card)}
          >
            {t.activity.numbered(card.title, card.number)}
          </div>
        ))}
      </div>
    </div>
  );
}

function offered(board: LiveBoard, text: string, fits: (card: Card) => boolean): Card[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: Card[] = [];
  for (const card of board.all("cards").values()) {
    const about = `${card.title} #${card.number}`.toLowerCase();
    if (card.archived || !words.every((word) => about.includes(word)) || !fits(card)) continue;
    found.push(card);
    if (found.length === OFFERED_MAX) break;
  }
  return found;
}
