import type { ActivityEntry, Card } from "@boardcast/client";
import { History } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Avatar } from "../board/CardTile.js";
import { useBoard, useStatus, useThing } from "../live.js";
import { moment, t } from "../text/index.js";
import { happened } from "./happened.js";

/** Versions of a page. */
const PAGE = 30;
/** How long nothing has changed when the newest are asked for again, in milliseconds. */
const AGAIN_MS = 700;

/** What has happened to a card, the newest first, as far as it is on the server's disk. */
export function Activity({ card }: { card: Card }) {
  const [open, setOpen] = useState(false);
  return (
    <section className="activity" aria-labelledby="activity">
      <h3 id="activity">
        <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          <History aria-hidden="true" /> {t.activity.title}
        </button>
      </h3>
      {open && <Entries card={card} />}
    </section>
  );
}

function Entries({ card }: { card: Card }) {
  const board = useBoard();
  const { unsaved } = useStatus(board);
  const [entries, setEntries] = useState<readonly ActivityEntry[]>();
  const [more, setMore] = useState(false);
  const [told, setTold] = useState("");

  const ask = useCallback(
    async (before?: number) => {
      try {
        const page = await board.activity({
          card: card.id,
          limit: PAGE,
          ...(before !== undefined && { before }),
        });
        setTold("");
        setEntries((known = []) => joined(known, page.entries));
        // What is older than what is known already is asked for by the button.
        setMore((there) =>
          before !== undefined || page.entries.length === PAGE ? page.more : there,
        );
      } catch {
        setTold(t.account.unreachable);
      }
    },
    [board, card.id],
  );

  const isSaved = unsaved === 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is asked again when the card has changed
  useEffect(() => {
    const timer = setTimeout(() => void ask(), entries === undefined ? 0 : AGAIN_MS);
    return () => clearTimeout(timer);
  }, [ask, card, isSaved]);

  const oldest = entries?.at(-1)?.n;
  return (
    <>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      {entries?.length === 0 && <p className="empty">{t.activity.nothing}</p>}
      <ol>
        {entries?.map((entry) => (
          <Entry key={entry.n} entry={entry} card={card.id} />
        ))}
      </ol>
      {more && oldest !== undefined && (
        <button type="button" className="quiet" onClick={() => void ask(oldest)}>
          {t.activity.older}
        </button>
      )}
    </>
  );
}

function Entry({ entry, card }: { entry: ActivityEntry; card: string }) {
  const board = useBoard();
  const { by, at } = entry;
  const name = useThing("members", by)?.name ?? by;
  return (
    <li>
      <Avatar user={by} />
      <span>
        <strong>{name}</strong> {happened(board, entry, card).join(", ")}{" "}
        <time dateTime={new Date(at).toISOString()}>{moment(at)}</time>
      </span>
    </li>
  );
}

/** All entries, each once, the newest first. */
function joined(
  known: readonly ActivityEntry[],
  page: readonly ActivityEntry[],
): readonly ActivityEntry[] {
  const all = new Map([...known, ...page].map((entry) => [entry.n, entry]));
  return [...all.values()].sort((a, b) => b.n - a.n);
}
