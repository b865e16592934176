// Words in descriptions and comments, which are not in the browser: the server looks for them.
import type { LiveBoard, Query } from "@boardcast/client";
import { ask } from "../session.js";
import type { Filter } from "./filter.js";

/** How long the person has typed nothing when the server is asked, in milliseconds. */
const PAUSE_MS = 250;
/** How long the cards have been as they are when it is asked again, in milliseconds. */
const AGAIN_MS = 1_000;
/** Cards of a page. */
const PAGE = 200;
/** Pages that are asked for at most; cards behind them are looked through as far as they are here. */
const PAGES_MAX = 100;

/** Asks for the words of the filter whenever they or the cards have changed. Returns what ends it. */
export function watchTexts(board: LiveBoard, filter: Filter): () => void {
  let timer: number | undefined;
  let words = "";
  let turn = 0;
  const later = (ms: number) => {
    clearTimeout(timer);
    turn += 1;
    if (words !== "") timer = window.setTimeout(() => void look(turn), ms);
  };
  const look = async (asked: number) => {
    const found = await cardsWith(board.id, words).catch(() => undefined);
    // Without an answer the texts that are here count.
    if (found && asked === turn) filter.answered(found);
  };
  const stops = [
    filter.listen(() => {
      const next = questionOf(filter.state.query);
      if (next === words) return;
      words = next;
      later(PAUSE_MS);
    }),
    board.listen("cards/", () => {
      if (words !== "") later(AGAIN_MS);
    }),
  ];
  return () => {
    clearTimeout(timer);
    turn += 1;
    for (const stop of stops) stop();
  };
}

/** Its words as a query, which the server answers: of cards that are archived, where these are wanted. */
function questionOf({ words, wantsArchived }: Query): string {
  return words && wantsArchived ? `is:archived ${words}` : words;
}

/** The cards of a board in whose texts these words stand. */
async function cardsWith(board: string, words: string): Promise<Set<string>> {
  const found = new Set<string>();
  const path = `/api/v1/boards/${board}/cards?limit=${PAGE}&q=${encodeURIComponent(words)}`;
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await ask("GET", `${path}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (!answer.ok) throw new Error(answer.detail);
    const { cards, next } = answer.body as { cards: { id: string }[]; next: string | null };
    for (const { id } of cards) found.add(id);
    if (next === null) return found;
    cursor = next;
  }
  return found;
}
