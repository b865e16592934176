// How wide a column is on this screen.
import { useSyncExternalStore } from "react";

/** With the room beside it, in pixels. */
const WIDTH = 280;
/** Screens up to this width show one column at a time, in pixels. */
const PHONE = 600;
/** What is seen of the columns beside it there, in pixels. */
const BESIDE = 44;

function listen(changed: () => void): () => void {
  addEventListener("resize", changed);
  return () => removeEventListener("resize", changed);
}

/** The width of a column with the room beside it, in pixels. */
export function useColumnWidth(): number {
  return useSyncExternalStore(listen, () =>
    innerWidth <= PHONE ? Math.max(WIDTH, innerWidth - BESIDE) : WIDTH,
  );
}
