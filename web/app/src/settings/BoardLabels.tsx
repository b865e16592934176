import { newId } from "@boardcast/client";
import { Trash2 } from "lucide-react";
import { LabelChip } from "../board/LabelChip.js";
import { useAll, useBoard } from "../live.js";
import { ColorSelect } from "../parts/ColorSelect.js";
import { IconButton } from "../parts/IconButton.js";
import { TextField } from "../parts/TextField.js";
import { byName, t } from "../text/index.js";
import { AddRow } from "./AddRow.js";

/** The labels of the board, those of one area one after the other: `area/backend`. */
export function BoardLabels({ editable }: { editable: boolean }) {
  const board = useBoard();
  const words = t.settings.labels;
  const labels = [...useAll("labels")].sort((a, b) => byName(a.name ?? "", b.name ?? ""));
  return (
    <section aria-labelledby="settings-labels">
      <h3 id="settings-labels">{t.labels}</h3>
      <ul>
        {labels.map(({ id, name = "", color }) => {
          const called = name || (color ?? id);
          return (
            <li key={id}>
              {!editable && <LabelChip id={id} />}
              {editable && (
                <>
                  <TextField
                    label={words.name(called)}
                    text={name}
                    maxLength={500}
                    take={(name) => board.submit({ type: "label.set", label: id, name })}
                  />
                  <ColorSelect
                    label={words.color(called)}
                    color={color}
                    set={(color) => board.submit({ type: "label.set", label: id, color })}
                  />
                  <IconButton
                    icon={Trash2}
                    label={t.deleteThing(called)}
                    act={() => board.submit({ type: "label.remove", label: id })}
                  />
                </>
              )}
            </li>
          );
        })}
      </ul>
      {editable && (
        <AddRow
          label={t.newLabel}
          add={(name) => board.submit({ type: "label.create", label: newId(), name })}
        />
      )}
    </section>
  );
}
