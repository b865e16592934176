// Whether the server has another version of the page than the one that is shown.
import { useSyncExternalStore } from "react";

let newer = false;
const listeners = new Set<() => void>();

/** Whether the next page has to be loaded anew. */
export function hasNewer(): boolean {
  return newer;
}

/** There is another version from now on. */
export function foundNewer(): void {
  newer = true;
  for (const listener of [...listeners]) listener();
}

function listen(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** {@link hasNewer}; renders when it has become so. */
export function useHasNewer(): boolean {
  return useSyncExternalStore(listen, hasNewer);
}
