import { X } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { answered } from "../account/asked.js";
import { IconButton } from "../parts/IconButton.js";
import { bytes, moment, number, t } from "../text/index.js";
import { CloseDialog } from "./CloseDialog.js";
import { Alert, Table } from "./parts.js";

/** How often the table is asked for, in milliseconds. */
const EVERY_MS = 2_000;
/** Connections of a page. */
const PAGE = 50;

/** A connection, as the server tells it. */
export type Connection = {
  id: number;
  user: string | null;
  agent: string | null;
  boards: readonly string[];
  address: string;
  codec: string;
  since: number;
  active: number;
  round_trip_us: number | null;
  queue_bytes: number;
  sent: { bytes: number; messages: number };
  received: { bytes: number; messages: number };
  limits_hit: number;
};

type Listed = { total: number; offset: number; connections: readonly Connection[] };

const FILTERS = ["user", "board", "address"] as const;
const COLUMNS = [
  "id",
  "user",
  "address",
  "active",
  "round_trip",
  "queue",
  "sent",
  "received",
  "limits",
] as const;
type Column = (typeof COLUMNS)[number];

/** Every connection, live: found, sorted, and ended. */
export function Connections() {
  const words = t.admin.connections;
  const [by, setBy] = useState<(typeof FILTERS)[number]>("user");
  const [wanted, setWanted] = useState("");
  const [sort, setSort] = useState("-active");
  const [offset, setOffset] = useState(0);
  const [paused, setPaused] = useState(false);
  const [ending, setEnding] = useState<Connection>();
  const filter = wanted.trim() && `&${by}=${encodeURIComponent(wanted.trim())}`;
  const path = `/api/v1/admin/connections?limit=${PAGE}&offset=${offset}&sort=${sort}${filter}`;
  const { listed, told, load } = useListed(path, paused);
  const shown = listed?.connections ?? [];

  function sortBy(column: Column) {
    setOffset(0);
    setSort(sort === column ? `-${column}` : column);
  }

  return (
    <>
      <div className="row">
        <select
          className="compact"
          aria-label={words.filterBy}
          value={by}
          onChange={(event) => {
            setBy(event.target.value as typeof by);
            setOffset(0);
          }}
        >
          {FILTERS.map((one) => (
            <option key={one} value={one}>
              {words.filters[one]}
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label={words.filters[by]}
          placeholder={words.all}
          value={wanted}
          onChange={(event) => {
            setWanted(event.target.value);
            setOffset(0);
          }}
        />
        <label className="check">
          <input
            type="checkbox"
            checked={paused}
            onChange={(event) => setPaused(event.target.checked)}
          />
          {words.pause}
        </label>
      </div>
      <Alert told={told} />
      <p className="soft" role="status">
        {listed && words.count(listed.total)}
      </p>
      <Table
        label={t.admin.parts.connections}
        heads={
          <>
            {COLUMNS.map((column) => (
              <Head key={column} column={column} sort={sort} choose={sortBy} />
            ))}
            <th scope="col">{t.admin.users.actions}</th>
          </>
        }
      >
        {shown.map((one) => (
          <Row key={one.id} one={one} end={() => setEnding(one)} />
        ))}
      </Table>
      {listed && listed.total > PAGE && (
        <div className="buttons">
          <button
            type="button"
            disabled={offset === 0}
            onClick={() => setOffset(Math.max(0, offset - PAGE))}
          >
            {words.before}
          </button>
          <button
            type="button"
            disabled={offset + PAGE >= listed.total}
            onClick={() => setOffset(offset + PAGE)}
          >
            {words.after}
          </button>
        </div>
      )}
      {ending && (
        <CloseDialog
          one={ending}
          done={() => {
            setEnding(undefined);
            void load();
          }}
        />
      )}
    </>
  );
}

function Head(props: { column: Column; sort: string; choose(column: Column): void }) {
  const { column, sort, choose } = props;
  const up = sort === column;
  const down = sort === `-${column}`;
  return (
    <th scope="col" aria-sort={up ? "ascending" : down ? "descending" : undefined}>
      <button type="button" className="plain" onClick={() => choose(column)}>
        {t.admin.connections.columns[column]}
        <span aria-hidden="true">{up ? " ↑" : down ? " ↓" : ""}</span>
      </button>
    </th>
  );
}

function Row({ one, end }: { one: Connection; end(): void }) {
  const words = t.admin.connections;
  const { id, user, agent, boards, round_trip_us, queue_bytes, sent, received } = one;
  return (
    <tr>
      <td>{id}</td>
      <th scope="row">
        {user ?? words.nobody}
        <span className="soft">
          {agent ?? ""} {words.boards(boards.length)}
        </span>
      </th>
      <td>
        {one.address}
        <span className="soft">{one.codec}</span>
      </td>
      <td className="nowrap">
        {moment(one.active)}
        <span className="soft">{words.since(moment(one.since))}</span>
      </td>
      <td className="number">
        {round_trip_us === null ? "–" : t.admin.settings.ms(number(round_trip_us / 1_000))}
      </td>
      <td className="number">{bytes(queue_bytes)}</td>
      <td className="number">
        {bytes(sent.bytes)}
        <span className="soft">{number(sent.messages)}</span>
      </td>
      <td className="number">
        {bytes(received.bytes)}
        <span className="soft">{number(received.messages)}</span>
      </td>
      <td className="number">{number(one.limits_hit)}</td>
      <td>
        <IconButton icon={X} label={words.close(id)} act={end} />
      </td>
    </tr>
  );
}

/** A page of connections, asked for again and again unless that is paused. */
function useListed(path: string, paused: boolean) {
  const [listed, setListed] = useState<Listed>();
  const [told, setTold] = useState("");
  const load = useCallback(async () => {
    const answer = await answered("GET", path);
    setTold(answer.ok ? "" : answer.detail);
    if (answer.ok) setListed(answer.body as Listed);
  }, [path]);
  useEffect(() => {
    let gone = false;
    let timer: number | undefined;
    const turn = async () => {
      await load();
      if (!gone && !paused) timer = window.setTimeout(turn, EVERY_MS);
    };
    void turn();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [load, paused]);
  return { listed, told, load };
}
