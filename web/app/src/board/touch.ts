// Dragging cards with a finger: a short press takes the card up, so that a swipe goes on scrolling.
import type { LiveBoard } from "@boardcast/client";
import { announce } from "../announce.js";
import { t } from "../text/index.js";
import type { Group } from "./look.js";
import { type DropTarget, dropCard, tellDrag } from "./moves.js";
import { canEdit } from "./rights.js";

/** How long a finger rests before the card is taken up, in milliseconds. */
export const PRESS_MS = 250;
/** How far a finger may move meanwhile, in pixels. */
const REST_PX = 8;
/** How near an edge the board scrolls, in pixels. */
const EDGE_PX = 36;
/** How often it scrolls there by a column, in milliseconds. */
const TURN_MS = 700;

type Drag = { card: string; ghost: HTMLElement; dx: number; dy: number; target?: DropTarget };

/** Watches fingers on the cards inside `root`. Returns what ends it. */
export function watchTouchDrags(board: LiveBoard, group: Group, root: HTMLElement): () => void {
  let press: { timer: number; x: number; y: number; tile: HTMLElement } | undefined;
  let drag: Drag | undefined;
  let turnedAt = 0;

  function release(): void {
    clearTimeout(press?.timer);
    if (press) press.tile.draggable = true;
    press = undefined;
  }

  function end(): void {
    release();
    drag?.ghost.remove();
    drag = undefined;
    mark(root, undefined);
  }

  function begin(): void {
    if (!press) return;
    const { tile, x, y } = press;
    const box = tile.getBoundingClientRect();
    const ghost = tile.cloneNode(true) as HTMLElement;
    ghost.classList.add("held");
    ghost.removeAttribute("data-card");
    Object.assign(ghost.style, { width: `${box.width}px`, left: "0", top: "0" });
    document.body.append(ghost);
    drag = { card: tile.dataset.card ?? "", ghost, dx: box.left - x, dy: box.top - y };
    tile.classList.add("dragged");
    navigator.vibrate?.(10);
    announce(t.touch.taken(board.get("cards", drag.card)?.title ?? ""));
    tellDrag(board, drag.card, undefined);
    move(x, y);
  }

  function move(x: number, y: number): void {
    if (!drag) return;
    drag.ghost.style.transform = `translate(${x + drag.dx}px, ${y + drag.dy}px) rotate(1.5deg)`;
    scroll(x, y);
    drag.target = targetAt(x, y, drag.card);
    mark(root, drag.target);
    tellDrag(board, drag.card, drag.target);
  }

  function scroll(x: number, y: number): void {
    const lane = document.elementFromPoint(x, y)?.closest(".lane");
    const box = lane?.getBoundingClientRect();
    if (lane && box && y < box.top + EDGE_PX) lane.scrollBy({ top: -12 });
    if (lane && box && y > box.bottom - EDGE_PX) lane.scrollBy({ top: 12 });
    const to = x < EDGE_PX ? -1 : x > innerWidth - EDGE_PX ? 1 : 0;
    const now = performance.now();
    if (to === 0 || now - turnedAt < TURN_MS) return;
    turnedAt = now;
    root.scrollBy({ left: to * Math.min(280, innerWidth * 0.9), behavior: "smooth" });
  }

  function started(event: TouchEvent): void {
    end();
    const [touch] = event.touches;
    const tile = (event.target as HTMLElement).closest<HTMLElement>("[data-card]");
    if (!touch || event.touches.length > 1 || !tile || !canEdit(board)) return;
    // The browser would drag the link itself.
    tile.draggable = false;
    const timer = window.setTimeout(begin, PRESS_MS);
    press = { timer, x: touch.clientX, y: touch.clientY, tile };
  }

  function moved(event: TouchEvent): void {
    const [touch] = event.touches;
    if (!touch) return;
    if (drag) {
      if (event.cancelable) event.preventDefault();
      return move(touch.clientX, touch.clientY);
    }
    if (!press) return;
    const far = Math.hypot(touch.clientX - press.x, touch.clientY - press.y) > REST_PX;
    if (far) release();
  }

  function ended(event: TouchEvent): void {
    if (drag) {
      // No click follows.
      if (event.cancelable) event.preventDefault();
      const { card, target } = drag;
      press?.tile.classList.remove("dragged");
      board.tellPresence({ doing: "viewing" });
      if (target) dropCard(board, group, card, target);
    }
    end();
  }

  function cancelled(): void {
    press?.tile.classList.remove("dragged");
    if (drag) board.tellPresence({ doing: "viewing" });
    end();
  }

  const noMenu = (event: Event) => {
    if (press || drag) event.preventDefault();
  };
  root.addEventListener("touchstart", started, { passive: true });
  root.addEventListener("touchmove", moved, { passive: false });
  root.addEventListener("touchend", ended, { passive: false });
  root.addEventListener("touchcancel", cancelled);
  root.addEventListener("contextmenu", noMenu);
  return () => {
    cancelled();
    root.removeEventListener("touchstart", started);
    root.removeEventListener("touchmove", moved);
    root.removeEventListener("touchend", ended);
    root.removeEventListener("touchcancel", cancelled);
    root.removeEventListener("contextmenu", noMenu);
  };
}

/** Where a card that is let go here would go. */
function targetAt(x: number, y: number, held: string): DropTarget | undefined {
  const under = document.elementFromPoint(x, y);
  const tile = under?.closest<HTMLElement>("[data-card]");
  const card = tile?.dataset.card;
  if (tile && card !== undefined) {
    if (card === held) return undefined;
    const { top, height } = tile.getBoundingClientRect();
    return { kind: "card", card, edge: y < top + height / 2 ? "before" : "after" };
  }
  const place = under?.closest<HTMLElement>("[data-column]");
  const column = place?.dataset.column;
  return column === undefined ? undefined : { kind: "lane", column, lane: place?.dataset.lane };
}

/** Shows where the card would go. */
function mark(root: HTMLElement, target: DropTarget | undefined): void {
  for (const marked of root.querySelectorAll("[data-drop]")) marked.removeAttribute("data-drop");
  if (!target) return;
  const selector =
    target.kind === "card"
      ? `[data-card="${CSS.escape(target.card)}"]`
      : `[data-column="${CSS.escape(target.column)}"]${
          target.lane === undefined ? "" : `[data-lane="${CSS.escape(target.lane)}"]`
        }`;
  const drop = target.kind === "card" ? target.edge : "in";
  root.querySelector(selector)?.setAttribute("data-drop", drop);
}
