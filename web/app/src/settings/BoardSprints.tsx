import { newId } from "@boardcast/client";
import { Trash2 } from "lucide-react";
import { DateField } from "../card/DateField.js";
import { useAll, useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { TextField } from "../parts/TextField.js";
import { byName, t } from "../text/index.js";
import { AddRow } from "./AddRow.js";

/** When the first day of a sprint begins, and the last one ends, unless another time is chosen. */
const BEGINS = "09:00";
const ENDS = "17:00";

/** The sprints of the board, the earliest first. */
export function BoardSprints({ editable }: { editable: boolean }) {
  const board = useBoard();
  const words = t.settings.sprints;
  const sprints = [...useAll("sprints")].sort(
    (a, b) => (a.start ?? Infinity) - (b.start ?? Infinity) || byName(a.title, b.title),
  );
  return (
    <section aria-labelledby="settings-sprints">
      <h3 id="settings-sprints">{words.title}</h3>
      <ul>
        {sprints.map(({ id, title, start, end }) => (
          <li key={id}>
            <fieldset className="sprint" disabled={!editable}>
              <TextField
                label={words.name(title)}
                text={title}
                maxLength={500}
                take={(title) => {
                  if (title) board.submit({ type: "sprint.set", sprint: id, title });
                }}
              />
              <DateField
                label={t.start}
                value={start}
                otherwise={BEGINS}
                set={(start) => board.submit({ type: "sprint.set", sprint: id, start })}
              />
              <DateField
                label={words.end}
                value={end}
                otherwise={ENDS}
                set={(end) => board.submit({ type: "sprint.set", sprint: id, end })}
              />
              <IconButton
                icon={Trash2}
                label={t.deleteThing(title)}
                act={() => board.submit({ type: "sprint.remove", sprint: id })}
              />
            </fieldset>
          </li>
        ))}
      </ul>
      {editable && (
        <AddRow
          label={words.add}
          add={(title) => board.submit({ type: "sprint.create", sprint: newId(), title })}
        />
      )}
    </section>
  );
}
