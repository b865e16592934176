import { Query, QueryError } from "@boardcast/client";
import { Fragment, useEffect, useState } from "react";
import { answered } from "../account/asked.js";
import { at } from "../base.js";
import { follow } from "../route.js";
import { t } from "../text/index.js";
import { faultWords } from "./fault.js";

/** How long the person has typed nothing when the server is asked, in milliseconds. */
const PAUSE_MS = 250;
/** Cards of a page. */
const PAGE = 20;

/** A card that was found, as the server tells it. */
type Hit = {
  board: string;
  board_title: string;
  card: string;
  number: number;
  title: string;
  column_title: string;
  archived: boolean;
  found: { field: keyof typeof t.search.fields; text: string; marks: [number, number][] } | null;
};

type Shown = { text: string; hits: readonly Hit[]; next: string | null; told: string };

/** The cards of all boards that fit a query, the best first. */
export default function Found({ text }: { text: string }) {
  const [shown, show] = useState<Shown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let gone = false;
    const fault = faultOf(text);
    const timer = setTimeout(async () => {
      const page = fault === undefined ? await pageOf(text, null) : nothing(text, fault);
      if (!gone) show(page);
    }, PAUSE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [text]);

  async function more(before: Shown) {
    setBusy(true);
    const page = await pageOf(before.text, before.next);
    setBusy(false);
    // Pages shift while cards change: none stands here twice.
    const known = new Set(before.hits.map(keyOf));
    const fresh = page.hits.filter((hit) => !known.has(keyOf(hit)));
    show((now) => (now === before ? { ...page, hits: [...before.hits, ...fresh] } : now));
  }

  const isDone = shown?.text === text;
  return (
    <section className="found" aria-labelledby="found">
      <h2 id="found">{t.search.cards}</h2>
      <p role="alert" className={shown?.told ? "told" : "unseen"}>
        {shown?.told}
      </p>
      <p role="status" className="unseen">
        {isDone && !shown.told && t.search.found(shown.hits.length)}
      </p>
      {isDone && !shown.told && shown.hits.length === 0 && !shown.next && (
        <p className="empty">{t.search.nothing}</p>
      )}
      <ul>
        {shown?.hits.map((hit) => (
          <Row key={keyOf(hit)} hit={hit} />
        ))}
      </ul>
      {shown?.next && (
        <button type="button" className="quiet" disabled={busy} onClick={() => void more(shown)}>
          {t.search.more}
        </button>
      )}
    </section>
  );
}

function Row({ hit }: { hit: Hit }) {
  const { board, card, title, number, found, archived } = hit;
  const path = `/b/${board}/c/${card}`;
  return (
    <li>
      <a href={at(path)} onClick={(event) => follow(event, path)}>
        <span className="title">
          {found?.field === "title" ? <Marked {...found} /> : title}
          {found && found.field !== "title" && (
            <span className="snippet">
              {t.search.fields[found.field]}: <Marked {...found} />
            </span>
          )}
        </span>
        {archived && <span className="mark">{t.archivedMark}</span>}
        <span className="role">
          {t.search.place(hit.board_title, hit.column_title)}
          {number > 0 && ` #${number}`}
        </span>
      </a>
    </li>
  );
}

/** A text with the words that were looked for; the places count code points. */
function Marked({ text, marks }: { text: string; marks: [number, number][] }) {
  const chars = [...text];
  let at = 0;
  const parts = marks.map(([from, to]) => {
    const before = chars.slice(at, from).join("");
    at = to;
    return (
      <Fragment key={from}>
        {before}
        <mark>{chars.slice(from, to).join("")}</mark>
      </Fragment>
    );
  });
  return (
    <>
      {parts}
      {chars.slice(at).join("")}
    </>
  );
}

function keyOf({ board, card }: Hit): string {
  return `${board}/${card}`;
}

function faultOf(text: string): string | undefined {
  try {
    return Query.of(text).isEmpty ? "" : undefined;
  } catch (error) {
    if (error instanceof QueryError) return faultWords(error);
    throw error;
  }
}

function nothing(text: string, told: string): Shown {
  return { text, hits: [], next: null, told };
}

async function pageOf(text: string, cursor: string | null): Promise<Shown> {
  const behind = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const path = `/api/v1/search?limit=${PAGE}&q=${encodeURIComponent(text)}${behind}`;
  const answer = await answered("GET", path);
  if (!answer.ok) return nothing(text, answer.detail);
  return { text, told: "", ...(answer.body as { hits: Hit[]; next: string | null }) };
}
