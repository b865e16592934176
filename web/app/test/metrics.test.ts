// What administrators see of the metrics.
import { expect, test } from "vitest";
import { byLabel, gaugeOf, quantilesOf, rateOf, readMetrics } from "../src/admin/metrics.js";

const text = (buckets: number[], deliveries: number) => `# HELP a b
# TYPE x_seconds histogram
x_seconds_bucket{le="0.001"} ${buckets[0]}
x_seconds_bucket{le="0.01"} ${buckets[1]}
x_seconds_bucket{le="+Inf"} ${buckets[2]}
x_seconds_sum 3.5
deliveries_total ${deliveries}
closed_total{cause="bye"} 3
closed_total{cause="slow consumer"} 1
`;

test("values, rates and labels are read", () => {
  const before = readMetrics(text([0, 0, 0], 100), 1_000);
  const now = readMetrics(text([0, 0, 0], 150), 3_000);
  expect(gaugeOf(now, "deliveries_total")).toBe(150);
  expect(gaugeOf(now, "absent")).toBeNull();
  expect(rateOf(before, now, "deliveries_total")).toBe(25);
  // The server began anew.
  expect(rateOf(now, before, "deliveries_total")).toBeNull();
  expect(byLabel(now, "closed_total", "cause")).toEqual([
    ["bye", 3],
    ["slow consumer", 1],
  ]);
});

test("quantiles are those of what came between two looks", () => {
  const before = readMetrics(text([1_000, 1_000, 1_000], 0), 0);
  const now = readMetrics(text([1_010, 1_090, 1_100], 0), 1);
  const [half = 0, most = 0, all = 0] = quantilesOf(before, now, "x_seconds", [0.5, 0.9, 0.99]);
  expect(half).toBeCloseTo(0.001 + 0.009 * (40 / 80), 6);
  expect(most).toBeCloseTo(0.01, 6);
  // Above the last bound.
  expect(all).toBe(0.01);
  expect(quantilesOf(now, now, "x_seconds", [0.5])).toEqual([null]);
  expect(quantilesOf(now, before, "x_seconds", [0.5])).toEqual([null]);
});
