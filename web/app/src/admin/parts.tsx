// What the tables of administrators have in common.
import type { ReactNode } from "react";
import { t } from "../text/index.js";

/** What went wrong. */
export function Alert({ told }: { told: string }) {
  return (
    <p role="alert" className={told ? "told" : "unseen"}>
      {told}
    </p>
  );
}

/** A table that scrolls by itself where it is too wide. */
export function Table(props: { label: string; heads: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="table" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>{props.heads}</tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}

/** Heads of columns that are not sorted by. */
export function Heads({ names }: { names: readonly string[] }) {
  return names.map((name) => (
    <th key={name} scope="col">
      {name}
    </th>
  ));
}

/** Asks for more, where there is more. */
export function More({ more }: { more: { ask(): Promise<void>; busy: boolean } | undefined }) {
  if (!more) return null;
  return (
    <button type="button" className="quiet" disabled={more.busy} onClick={() => void more.ask()}>
      {t.search.more}
    </button>
  );
}
