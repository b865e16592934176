// Moments in which nobody waits for the page.

/** The longest wait for a quiet moment, in milliseconds. */
const WAIT_MS = 1_000;

/** Ends when the page has nothing else to do, or after a second. */
export function quietMoment(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") {
      requestIdleCallback(() => resolve(), { timeout: WAIT_MS });
    } else {
      setTimeout(resolve, WAIT_MS);
    }
  });
}

/** Ends after the frame that shows what there is now. */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
  });
}
