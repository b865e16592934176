// Files that are dropped or pasted while a card is open.
import { useEffect, useState } from "react";

/** Hands over files that are dropped or pasted anywhere on the page. Whether some are held over it. */
export function useIncoming(take: ((files: File[]) => void) | undefined): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const dragged = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      // Else the browser would open the file in place of the board.
      event.preventDefault();
      event.dataTransfer.dropEffect = take ? "copy" : "none";
      setOver(take !== undefined);
    };
    const left = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const dropped = (event: DragEvent) => {
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      take?.(files);
    };
    const pasted = (event: ClipboardEvent) => {
      const { clipboardData, target } = event;
      const files = [...(clipboardData?.files ?? [])];
      const writing = target instanceof HTMLElement && target.matches("input, textarea");
      // Programs that copy a text as a picture, too, mean the text where somebody writes.
      if (files.length === 0 || (writing && clipboardData?.types.includes("text/plain"))) return;
      event.preventDefault();
      take?.(files);
    };
    document.addEventListener("dragover", dragged);
    document.addEventListener("dragleave", left);
    document.addEventListener("drop", dropped);
    document.addEventListener("paste", pasted);
    return () => {
      document.removeEventListener("dragover", dragged);
      document.removeEventListener("dragleave", left);
      document.removeEventListener("drop", dropped);
      document.removeEventListener("paste", pasted);
    };
  }, [take]);
  return over;
}
