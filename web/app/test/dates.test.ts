// Days and times of the browser's zone, as the fields of a card have them.
import { afterEach, expect, test } from "vitest";
import { dayOf, momentOf, timeOf } from "../src/card/dates.js";

const before = process.env.TZ;
afterEach(() => {
  process.env.TZ = before;
});

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"];

test("what stands in the fields is the moment that was chosen, in each time zone", () => {
  const seen = new Set<number>();
  for (const zone of ZONES) {
    process.env.TZ = zone;
    for (const [day, time] of [
      ["2030-05-06", "17:00"],
      ["2028-02-29", "00:00"],
      ["1970-01-02", "23:59"],
      ["9999-12-30", "09:05"],
    ] as const) {
      const ms = momentOf(day, time);
      expect([zone, dayOf(ms), timeOf(ms ?? 0)]).toEqual([zone, day, time]);
    }
    seen.add(momentOf("2030-05-06", "17:00") ?? 0);
  }
  expect(seen.size).toBe(ZONES.length);
});

test("the same moment is another day elsewhere", () => {
  const moment = Date.UTC(2030, 4, 6, 23, 30);
  const days = ZONES.map((zone) => {
    process.env.TZ = zone;
    return `${dayOf(moment)} ${timeOf(moment)}`;
  });
  expect(days).toEqual([
    "2030-05-06 23:30",
    "2030-05-07 01:30",
    "2030-05-06 19:30",
    "2030-05-07 05:00",
    "2030-05-07 13:30",
  ]);
});

test("a time that the clocks skip is the one after it", () => {
  process.env.TZ = "Europe/Berlin";
  expect(timeOf(momentOf("2030-03-31", "02:30") ?? 0)).toBe("03:30");
  // And one that comes twice is the first.
  expect(momentOf("2030-10-27", "02:30")).toBe(Date.UTC(2030, 9, 27, 0, 30));
});

test("what is no moment, or half typed, is none", () => {
  for (const [day, time] of [
    ["", "17:00"],
    ["2030-05-06", ""],
    ["2030-02-31", "25:00"],
    ["2030-13-01", "17:00"],
    ["0203-05-06", "17:00"],
    ["1969-12-30", "17:00"],
    ["20300-05-06", "17:00"],
  ] as const)
    expect([day, time, momentOf(day, time)]).toEqual([day, time, undefined]);
  expect([dayOf(null), dayOf(undefined)]).toEqual(["", ""]);
});
