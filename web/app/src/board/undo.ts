// Undoing what one has done, and saying what became of it.
import { type Command, type LiveBoard, Rejected } from "@boardcast/client";
import { t } from "../text/index.js";
import { failure } from "../text/refusals.js";
import { tell } from "../told.js";

/** Undoes what the person has done last, or does it again, and says so. */
export async function takeBack(board: LiveBoard, what: "undo" | "redo"): Promise<void> {
  if (board.status[what] && board.status.phase !== "live") tell(t.undoing.waits);
  try {
    const deed = await board[what]();
    if (!deed) return tell(t.undoing.nothing[what]);
    const words = deedWords(board, deed.cmds);
    if (what === "redo") return tell(t.undoing.redone(words));
    const redo = () => void takeBack(board, "redo");
    tell(t.undoing.undone(words), { label: t.undoing.redo, run: redo });
  } catch (error) {
    // A rejection stands among the notices.
    if (!(error instanceof Rejected)) tell(failure(error));
  }
}

/** What commands did, in a few words. */
export function deedWords(board: LiveBoard, cmds: readonly Command[]): string {
  const [first] = cmds;
  if (!first) return "";
  const words = t.deeds[first.type];
  if (cmds.length > 1) return t.undoing.many(words, cmds.length);
  const card = "card" in first ? board.get("cards", first.card) : undefined;
  const column = "column" in first ? board.get("columns", first.column) : undefined;
  const title = "title" in first && first.title ? first.title : (card ?? column)?.title;
  return title ? t.undoing.one(words, title) : words;
}
