// Whether the person may change the board, by role and by whether it is archived.
import type { LiveBoard } from "@boardcast/client";
import { useCallback, useSyncExternalStore } from "react";
import { useBoard } from "../live.js";

/** Whether the person may change cards. */
export function canEdit(board: LiveBoard): boolean {
  const { role } = board.status;
  if (board.get("head", "")?.archived) return false;
  return role === undefined || role === "editor" || role === "admin";
}

/** The same; renders when the answer is another one, and never for what else the board tells. */
export function useCanEdit(): boolean {
  const board = useBoard();
  const listen = useCallback(
    (changed: () => void) => {
      const ends = [board.listenStatus(changed), board.listen("head/", changed)];
      return () => {
        for (const end of ends) end();
      };
    },
    [board],
  );
  return useSyncExternalStore(listen, () => canEdit(board));
}
