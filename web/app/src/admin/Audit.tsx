import { type FormEvent, useState } from "react";
import { moment, t } from "../text/index.js";
import { usePages } from "./pages.js";
import { Alert, Heads, More, Table } from "./parts.js";

const FILTERS = ["by", "about", "board", "act"] as const;
type FilterBy = (typeof FILTERS)[number];

/** An entry of the audit log, as the server tells it. */
type Entry = {
  id: number;
  at: number;
  act: string;
  by: string | null;
  address: string | null;
  about: string | null;
  board: string | null;
  detail: Record<string, unknown>;
};

/** What was done about accounts, rights and the server, the newest first. */
export function Audit() {
  const words = t.admin.audit;
  const acts: Record<string, string> = words.acts;
  const [by, setBy] = useState<FilterBy>("act");
  const [query, setQuery] = useState("");
  const path = `/api/v1/admin/audit?limit=50${query}`;
  const { list, told, more } = usePages<Entry>(path, "entries", "before");

  function filter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const value = `${new FormData(event.currentTarget).get("value")}`.trim();
    setQuery(value && `&${by}=${encodeURIComponent(value)}`);
  }

  return (
    <>
      <form className="row" onSubmit={filter}>
        <select
          className="compact"
          aria-label={words.filterBy}
          value={by}
          onChange={(event) => setBy(event.target.value as FilterBy)}
        >
          {FILTERS.map((one) => (
            <option key={one} value={one}>
              {words.filters[one]}
            </option>
          ))}
        </select>
        {by === "act" ? (
          <select name="value" className="compact" aria-label={words.filters.act}>
            <option value="">{words.all}</option>
            {Object.entries(acts).map(([act, name]) => (
              <option key={act} value={act}>
                {name}
              </option>
            ))}
          </select>
        ) : (
          <input name="value" aria-label={words.filters[by]} placeholder={words.all} />
        )}
        <button type="submit" className="compact">
          {words.show}
        </button>
      </form>
      <Alert told={told} />
      <Table
        label={t.admin.parts.audit}
        heads={
          <Heads
            names={[
              words.when,
              words.filters.act,
              words.filters.by,
              words.filters.about,
              words.detail,
            ]}
          />
        }
      >
        {list?.map(({ id, at, act, by, address, about, board, detail }) => (
          <tr key={id}>
            <td className="nowrap">{moment(at)}</td>
            <td>{acts[act] ?? act}</td>
            <td>
              {by ?? "–"}
              {address && <span className="soft">{address}</span>}
            </td>
            <td>
              {about ?? "–"}
              {board && <span className="soft">{words.board(board)}</span>}
            </td>
            <td className="soft">{written(detail)}</td>
          </tr>
        ))}
      </Table>
      {list?.length === 0 && <p className="empty">{words.nothing}</p>}
      <More more={more} />
    </>
  );
}

function written(detail: Record<string, unknown>): string {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${text(value)}`)
    .join(", ");
}
