// Short words about what has just happened, which go away by themselves.
import { useEffect, useSyncExternalStore } from "react";

/** How long a word stays, in milliseconds. */
const STAYS_MS = 6_000;

type Word = { text: string; action?: { label: string; run(): void } };

let word: Word | undefined;
const listeners = new Set<() => void>();

function set(next: Word | undefined): void {
  word = next;
  for (const listener of [...listeners]) listener();
}

/** Says something, in place of what was said before. */
export function tell(text: string, action?: Word["action"]): void {
  set({ text, ...(action && { action }) });
}

function listen(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** Where such words stand. */
export function Told() {
  const now = useSyncExternalStore(listen, () => word);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => set(undefined), STAYS_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return (
    <div className="word" role="status" data-live-announcer="true">
      {now && (
        <p>
          {now.text}
          {now.action && (
            <button
              type="button"
              className="link"
              onClick={() => {
                now.action?.run();
                set(undefined);
              }}
            >
              {now.action.label}
            </button>
          )}
        </p>
      )}
    </div>
  );
}
