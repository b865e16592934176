// A file that becomes a board.
import { at } from "../base.js";
import { credentials } from "../session.js";
import { t } from "../text/index.js";
import { problemText } from "../text/refusals.js";

/** The start of a file, in which it says what it is, in bytes. */
const START_BYTES = 4_096;

/** What the server says about a file that it has imported. */
export type Report = {
  board: string;
  outcome: "created" | "updated" | "unchanged";
  columns: { open: number; archived: number };
  cards: { open: number; archived: number };
  labels: number;
  checklists: number;
  check_items: number;
  comments: number;
  attachments: number;
  members: number;
  skipped: { what: string; count: number; why: string }[];
};

export type Importing = { done: Promise<Report>; stop(): void };

/** Sends a file, and tells how many of its bytes have gone. `done` throws what went wrong in words. */
export function importFile(file: File, gone: (bytes: number) => void): Importing {
  // `fetch` does not tell how much of a body has gone.
  const request = new XMLHttpRequest();
  const done = formatOf(file).then(
    (format) =>
      new Promise<Report>((resolve, reject) => {
        request.open("POST", at(`/api/v1/import?format=${format}`));
        request.setRequestHeader("content-type", "application/json");
        for (const [header, value] of Object.entries(credentials())) {
          request.setRequestHeader(header, value);
        }
        request.upload.addEventListener("progress", ({ loaded }) => gone(loaded));
        request.addEventListener("load", () => {
          if (request.status < 300) resolve(JSON.parse(request.responseText));
          else reject(new Error(problemText(request.responseText, request.statusText)));
        });
        request.addEventListener("error", () => reject(new Error(t.account.unreachable)));
        request.addEventListener("abort", () => reject(new Error(t.importing.stopped)));
        request.send(file);
      }),
  );
  return { done, stop: () => request.abort() };
}

/** Exports of this program name themselves at their start; others are taken for those of Trello. */
async function formatOf(file: File): Promise<"json" | "trello"> {
  const start = await file.slice(0, START_BYTES).text();
  return /"format"\s*:\s*"boardcast\.board"/.test(start) ? "json" : "trello";
}
