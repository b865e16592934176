// Reads what Chromium has recorded of a page's main thread.

/** An event of a trace; times in microseconds, `tdur` without the time in which another thread ran. */
export type TraceEvent = {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  tdur?: number;
};

/** What the main thread has done from the beginning of a frame to that of the next one. */
export type Frame = {
  cpuMs: number;
  /** The longest task by processor time, and by time that has passed. */
  longestTaskMs: number;
  longestWallMs: number;
};

/** The frames between the marks `bench-begin` and `bench-end`. */
export function framesOf(events: readonly TraceEvent[]): Frame[] {
  const mark = (name: string) => events.find((event) => event.name === name);
  const [begin, end] = [mark("bench-begin"), mark("bench-end")];
  if (!begin || !end) throw new Error("the trace lacks the marks of the bench");
  const own = events
    .filter(({ pid, tid, ts }) => pid === begin.pid && tid === begin.tid && ts >= begin.ts)
    .filter(({ ts }) => ts <= end.ts)
    .sort((a, b) => a.ts - b.ts);
  const begins = own.filter(({ name }) => name === "BeginMainThreadFrame").map(({ ts }) => ts);
  const tasks = outermost(own.filter(({ name, ph }) => ph === "X" && name === "RunTask"));
  if (begins.length < 2 || tasks.length === 0) throw new Error("the trace has no frames");
  const frames: Frame[] = [];
  let at = 0;
  for (const [index, from] of begins.entries()) {
    const until = begins[index + 1];
    if (until === undefined) break;
    const frame: Frame = { cpuMs: 0, longestTaskMs: 0, longestWallMs: 0 };
    for (; at < tasks.length; at++) {
      const task = tasks[at];
      // A frame begins inside of the task that makes it.
      if (!task || task.ts + (task.dur ?? 0) >= until) break;
      if (task.ts + (task.dur ?? 0) < from) continue;
      const cpuMs = (task.tdur ?? task.dur ?? 0) / 1_000;
      frame.cpuMs += cpuMs;
      frame.longestTaskMs = Math.max(frame.longestTaskMs, cpuMs);
      frame.longestWallMs = Math.max(frame.longestWallMs, (task.dur ?? 0) / 1_000);
    }
    frames.push(frame);
  }
  return frames;
}

/** Tasks that are not inside of another one. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  let end = 0;
  return tasks.filter((task) => {
    const isInside = task.ts < end;
    if (!isInside) end = task.ts + (task.dur ?? 0);
    return !isInside;
  });
}
