import { useEffect, useMemo, useState } from "react";
import { at } from "../base.js";
import { credentials } from "../session.js";
import { bytes, number, t } from "../text/index.js";
import { Chart, type Values } from "./Chart.js";
import { byLabel, gaugeOf, type Look, quantilesOf, rateOf, readMetrics } from "./metrics.js";
import { Alert, Heads, Table } from "./parts.js";

/** How often the numbers are asked for, in milliseconds. */
const EVERY_MS = 2_000;
/** Looks that are kept: ten minutes. */
const LOOKS_MAX = 300;
const QUANTILES = [0.5, 0.9, 0.99];

/** How the server does, as long as this is open. */
export default function Numbers() {
  const { looks, told } = useLooks();
  const words = t.admin.numbers;
  const charts = useMemo(() => chartsOf(looks), [looks]);
  const last = looks.at(-1);
  const causes = last ? byLabel(last, "boardcast_connections_closed_total", "cause") : [];
  return (
    <>
      <Alert told={told} />
      <p className="soft">{words.hint}</p>
      <div className="charts">
        {charts.map(({ id, lines, written }) => (
          <Chart
            key={id}
            title={words.charts[id]}
            times={looks.map(({ at }) => at / 1_000)}
            lines={lines}
            written={written}
          />
        ))}
      </div>
      <h2>{words.ended}</h2>
      <Table label={words.ended} heads={<Heads names={[words.cause, words.count]} />}>
        {causes.map(([cause, count]) => (
          <tr key={cause}>
            <th scope="row">{cause.replaceAll("_", " ")}</th>
            <td className="number">{number(count)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

type Line = { name: string; values: Values };
type Drawn = {
  id: keyof typeof t.admin.numbers.charts;
  lines: Line[];
  written(value: number): string;
};

/** What is drawn of the looks; a rate and a quantile belong to the look that ends their interval. */
function chartsOf(looks: readonly Look[]): Drawn[] {
  const words = t.admin.numbers.lines;
  const of = (name: string) => looks.map((look) => gaugeOf(look, name));
  const between = <T,>(make: (before: Look, now: Look) => T, first: T) =>
    looks.map((now, at) => {
      const before = looks[at - 1];
      return before ? make(before, now) : first;
    });
  const rate = (name: string) => between((before, now) => rateOf(before, now, name), null);
  const quantiles = (name: string): Line[] => {
    const all = between<Values>((before, now) => quantilesOf(before, now, name, QUANTILES), []);
    return QUANTILES.map((quantile, at) => ({
      name: words.percentile(quantile * 100),
      values: all.map((one) => {
        const seconds = one[at] ?? null;
        return seconds === null ? null : seconds * 1_000;
      }),
    }));
  };
  const perSecond = (value: number) => words.perSecond(number(value));
  const ms = (value: number) => t.admin.settings.ms(number(value));
  return [
    {
      id: "connections",
      lines: [
        { name: words.open, values: of("boardcast_connections") },
        { name: words.admitted, values: of("boardcast_connections_admitted") },
      ],
      written: number,
    },
    {
      id: "deliveries",
      lines: [
        { name: words.deliveries, values: rate("boardcast_deliveries_total") },
        { name: words.versions, values: rate("boardcast_journal_durable_versions_total") },
      ],
      written: perSecond,
    },
    { id: "fanOut", lines: quantiles("boardcast_fan_out_seconds"), written: ms },
    { id: "journal", lines: quantiles("boardcast_journal_lag_seconds"), written: ms },
    {
      id: "memory",
      lines: [
        { name: words.resident, values: of("process_resident_memory_bytes") },
        { name: words.rooms, values: of("boardcast_rooms_bytes") },
        { name: words.waiting, values: of("boardcast_outbox_bytes") },
      ],
      written: bytes,
    },
  ];
}

/** Looks at the numbers, again and again. */
function useLooks(): { looks: readonly Look[]; told: string } {
  const [looks, setLooks] = useState<readonly Look[]>([]);
  const [told, setTold] = useState("");
  useEffect(() => {
    let gone = false;
    let timer: number | undefined;
    const turn = async () => {
      const answer = await look();
      if (gone) return;
      setTold(typeof answer === "string" ? answer : "");
      if (typeof answer !== "string") {
        setLooks((before) => [...before.slice(1 - LOOKS_MAX), answer]);
      }
      timer = window.setTimeout(turn, EVERY_MS);
    };
    void turn();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return { looks, told };
}

/** The numbers of now, or why there are none. */
async function look(): Promise<Look | string> {
  try {
    const answer = await fetch(at("/metrics"), { headers: credentials() });
    const text = await answer.text();
    if (answer.ok) return readMetrics(text, Date.now());
    return answer.status === 403 || answer.status === 401 ? t.admin.refused : text;
  } catch {
    return t.account.unreachable;
  }
}
