// What keys do on a card.
import type { Card, Column } from "@boardcast/client";
import type { KeyboardEvent } from "react";
import { useBoard } from "../live.js";
import { isRightToLeft } from "../text/index.js";
import { archive, cardBeside, type Direction, type Lane, moveBy } from "./actions.js";
import { useCursor } from "./cursor.js";
import { canEdit } from "./rights.js";

const DIRECTIONS: Record<string, Direction> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
};

/** Where a key leads: `left` is the column before, which stands to the right in some languages. */
function directionOf(key: string): Direction | undefined {
  const direction = DIRECTIONS[key];
  if (!isRightToLeft()) return direction;
  return direction === "left" ? "right" : direction === "right" ? "left" : direction;
}

/** Handles the keys of the cards; `beside` are those among which a card is moved up and down. */
export function useCardKeys(props: {
  seen: Lane;
  beside(card: Card): readonly string[];
  columns: readonly Column[];
  add?(column: string): void;
}): (event: KeyboardEvent) => void {
  const board = useBoard();
  const cursor = useCursor();
  return (event) => {
    const { card: id } = cursor;
    const card = id === undefined ? undefined : board.get("cards", id);
    const direction = directionOf(event.key);
    if (!card || event.ctrlKey || event.metaKey) return;
    if (!(event.target as HTMLElement).dataset.card) return;
    const { seen, columns } = props;
    if (direction && event.altKey) {
      const among: Lane = (column) => (column === card.column ? props.beside(card) : seen(column));
      if (canEdit(board)) moveBy(board, among, card.id, direction);
      cursor.go(card.id);
    } else if (direction) {
      const next = cardBeside(board, seen, card.id, direction, columns);
      if (next) cursor.go(next);
    } else if (event.key === "n" && props.add && canEdit(board)) {
      props.add(card.column);
    } else if (event.key === "c" && canEdit(board)) {
      const next =
        cardBeside(board, seen, card.id, "down") ?? cardBeside(board, seen, card.id, "up");
      archive(board, card.id);
      if (next) cursor.go(next);
    } else {
      return;
    }
    event.preventDefault();
  };
}
