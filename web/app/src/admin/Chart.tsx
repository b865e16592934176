import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { time } from "../text/index.js";

const HEIGHT = 150;
/** The lines of a chart, the first one the strongest. */
const COLORS = ["--accent", "--warn", "--danger"] as const;

export type Values = (number | null)[];

/** What has become of some numbers: a line each. The newest values stand beside the title as text. */
export function Chart(props: {
  title: string;
  /** When the values are from, in seconds since 1970. */
  times: number[];
  lines: { name: string; values: Values }[];
  written(value: number): string;
}) {
  const { title, times, lines, written } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const names = lines.map(({ name }) => name).join("\n");
  const write = useRef(written);
  write.current = written;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const color = (name: string) => style.getPropertyValue(name);
    const axis = { stroke: color("--text-soft"), grid: { stroke: color("--line"), width: 1 } };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [
          {
            ...axis,
            space: 90,
            size: 30,
            values: (_, ticks) => ticks.map((tick) => time(tick * 1_000)),
          },
          { ...axis, size: 70, values: (_, ticks) => ticks.map((tick) => write.current(tick)) },
        ],
        series: [
          {},
          ...names.split("\n").map((_, at) => ({
            stroke: color(COLORS[at] ?? "--text"),
            width: 1.5,
            points: { show: false },
          })),
        ],
      },
      [[], ...names.split("\n").map(() => [])],
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [names]);

  useEffect(() => {
    plot.current?.setData([times, ...lines.map(({ values }) => values)]);
  }, [times, lines]);

  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ name, values }, at) => {
          const last = values.at(-1);
          return (
            <span key={name}>
              <span
                className="line"
                aria-hidden="true"
                style={{ background: `var(${COLORS[at] ?? "--text"})` }}
              />
              {name} {last === null || last === undefined ? "–" : written(last)}
            </span>
          );
        })}
      </figcaption>
      <div ref={place} aria-hidden="true" dir="ltr" />
    </figure>
  );
}
