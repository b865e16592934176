// Where this browser keeps how a person looks at boards.

const NAME = "boardcast-look-";

/** What is kept of a board, as text; nothing where the browser keeps nothing. */
export function readLook(board: string): string | undefined {
  try {
    return localStorage.getItem(NAME + board) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it. A browser that keeps nothing shows the board as it is by default the next time. */
export function keepLook(board: string, text: string): void {
  try {
    localStorage.setItem(NAME + board, text);
  } catch {
    // It is as it is shown until the page is left.
  }
}

/** Forgets it of all boards, for a browser that others use too. */
export function forgetLooks(): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(NAME)) localStorage.removeItem(key);
  }
}
