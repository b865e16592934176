// About how high a card is before it is measured: a guess that holds needs no second rendering.
import type { Card } from "@boardcast/client";

/** Border and padding of a card above and below, in pixels. */
const AROUND = 18;
/** Between the rows of a card, in pixels. */
const GAP = 5;
/** A line of the title, a row of labels, a row of badges, and one with people, in pixels. */
const [TITLE, LABELS, BADGES, PEOPLE] = [18.2, 18.1, 16.1, 22];
/** Characters of a line of the title, about. */
const LINE_CHARACTERS = 33;

/** Whether a card has a row of badges. */
export function hasBadges(card: Card): boolean {
  const { detail, checklists } = card;
  return Boolean(
    card.due ||
      card.assignees ||
      card.attachments ||
      card.blocked_by ||
      card.priority ||
      detail?.described ||
      detail?.comments ||
      checklists?.some((list) => list.items?.length),
  );
}

/** In pixels, as it is in a column of the usual width. */
export function heightOf(card: Card | undefined): number {
  if (!card) return 0;
  const lines = Math.max(1, Math.ceil(card.title.length / LINE_CHARACTERS));
  let height = AROUND + lines * TITLE;
  if (card.cover) height += GAP;
  if (card.labels) height += LABELS + GAP;
  if (card.assignees) height += PEOPLE + GAP;
  else if (hasBadges(card)) height += BADGES + GAP;
  return Math.round(height);
}
