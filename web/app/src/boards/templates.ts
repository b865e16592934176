// What new boards begin with.
import { type Client, type Command, newId } from "@boardcast/client";
import sample from "../../../../server/assets/sample-board.json?url";
import { ask } from "../session.js";
import { t } from "../text/index.js";

/** What a board can begin with. */
export const TEMPLATES = ["kanban", "software", "empty", "sample"] as const;
export type Template = (typeof TEMPLATES)[number];

/**
 * Makes a board of a template; its id. The sample has a title of its own. Throws where the server
 * cannot be reached or refuses it.
 */
export async function makeBoard(
  client: Client,
  title: string,
  template: Template,
): Promise<string> {
  if (template === "sample") return makeSample(title);
  const id = await client.createBoard(title);
  const commands = columnsOf(template);
  if (commands.length === 0) return id;
  const board = client.board(id);
  board.submit(commands);
  board.close();
  return id;
}

function columnsOf(template: Exclude<Template, "sample">): Command[] {
  const titles = { kanban: t.firstColumns, software: t.softwareColumns, empty: [] }[template];
  return titles.flatMap((title, at): Command[] => {
    const column = `column-${at + 1}`;
    const create: Command = { type: "column.create", column, title };
    // The last one holds what is done, and those of work in progress have a limit.
    if (at === titles.length - 1) return [create, { type: "column.set", column, done: true }];
    if (template !== "software" || at < 2) return [create];
    return [create, { type: "column.set", column, wip: { limit: 5, kind: "soft" } }];
  });
}

/** The sample is an export of a board: under another id it is another board. */
async function makeSample(title: string): Promise<string> {
  const file = await (await fetch(sample)).json();
  const board = { ...file, id: newId(), ...(title && { title }) };
  const answer = await ask("POST", "/api/v1/import?format=json", board);
  if (!answer.ok) throw new Error(answer.detail);
  return `${answer.body.board}`;
}
