import type { BoardSummary, LiveBoard } from "@boardcast/client";
import { type KeyboardEvent, useEffect, useMemo, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { useClient } from "./live.js";
import { go } from "./route.js";
import { t } from "./text/index.js";

/** Things that are offered at most: who looks for more types more. */
const OFFERED_MAX = 12;

/** Something that can be done. */
export type Action = { id: string; name: string; keys?: string; run(): void };

type Offer = Action & { kind: string };

/** Finds boards, cards of this board and actions by words, and opens or does what is chosen. */
export default function Palette(props: {
  board?: LiveBoard;
  actions: readonly Action[];
  close(): void;
}) {
  const { board, actions, close } = props;
  const boards = useBoards();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const offers = useMemo(
    () => offered(query, actions, board, boards),
    [query, actions, board, boards],
  );
  const chosen = offers[Math.min(at, offers.length - 1)];

  function choose(offer: Offer | undefined) {
    if (!offer) return;
    close();
    offer.run();
  }

  function pressed(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step && offers.length > 0) setAt((at + step + offers.length) % offers.length);
    else if (event.key === "Enter") choose(chosen);
    else return;
    event.preventDefault();
  }

  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || close()}>
      <Modal className="modal palette">
        <Dialog aria-label={t.palette.title}>
          <input
            autoFocus
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-offers"
            aria-activedescendant={chosen && `palette-${chosen.id}`}
            aria-autocomplete="list"
            aria-label={t.palette.title}
            placeholder={t.palette.hint}
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setAt(0);
            }}
            onKeyDown={pressed}
          />
          <div id="palette-offers" role="listbox" aria-label={t.palette.title}>
            {offers.map((offer) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
              // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus
              <div
                key={offer.id}
                id={`palette-${offer.id}`}
                role="option"
                aria-selected={offer === chosen}
                onClick={() => choose(offer)}
              >
                <span className="name">{offer.name}</span>
                <span className="kind">{offer.keys ?? offer.kind}</span>
              </div>
            ))}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useBoards(): readonly BoardSummary[] {
  const client = useClient();
  const [boards, setBoards] = useState<readonly BoardSummary[]>([]);
  useEffect(() => {
    let gone = false;
    // Without a network there are the cards and the actions.
    const load = client.boards().catch(() => undefined);
    void load.then((page) => gone || setBoards(page?.boards ?? []));
    return () => {
      gone = true;
    };
  }, [client]);
  return boards;
}

function offered(
  query: string,
  actions: readonly Action[],
  board: LiveBoard | undefined,
  boards: readonly BoardSummary[],
): Offer[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  const found: Offer[] = [];
  for (const action of actions) {
    if (fits(action.name)) found.push({ ...action, kind: t.palette.action });
  }
  for (const { board: id, title } of boards) {
    if (id === board?.id || !fits(title)) continue;
    const run = () => go(`/b/${id}`);
    found.push({ id: `b-${id}`, name: title, kind: t.palette.board, run });
  }
  if (board && words.length > 0) {
    for (const { id, number, title, column, archived } of board.all("cards").values()) {
      if (found.length >= OFFERED_MAX) break;
      if (archived || !fits(`${title} #${number}`)) continue;
      const kind = board.get("columns", column)?.title ?? t.palette.card;
      const name = number > 0 ? `${title} #${number}` : title;
      found.push({ id: `c-${id}`, name, kind, run: () => go(`/b/${board.id}/c/${id}`) });
    }
  }
  if (words.length === 0) return found.slice(0, OFFERED_MAX);
  const text = query.trim();
  const run = () => go(`/?q=${encodeURIComponent(text)}`);
  const search = { id: "search", name: t.palette.search(text), kind: t.palette.action, run };
  return [...found.slice(0, OFFERED_MAX - 1), search];
}
