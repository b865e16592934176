import { type Field, type FieldKind, type FieldOption, newId } from "@boardcast/client";
import { Trash2 } from "lucide-react";
import { useAll, useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { TextField } from "../parts/TextField.js";
import { byName, t } from "../text/index.js";
import { AddRow } from "./AddRow.js";

const KINDS = ["text", "number", "checkbox", "date", "list"] as const satisfies FieldKind[];

/** The board's own fields of cards. */
export function BoardFields({ editable }: { editable: boolean }) {
  const board = useBoard();
  const words = t.settings.fields;
  const fields = [...useAll("fields")].sort((a, b) => byName(a.name, b.name));
  return (
    <section aria-labelledby="settings-fields">
      <h3 id="settings-fields">{words.title}</h3>
      <ul>
        {fields.map((field) => (
          <li key={field.id}>
            <TextField
              label={words.name(field.name)}
              text={field.name}
              disabled={!editable}
              maxLength={500}
              take={(name) => {
                if (name) board.submit({ type: "field.set", field: field.id, name });
              }}
            />
            <span className="role">{words.kinds[field.kind]}</span>
            {field.kind === "list" && (
              <TextField
                label={words.options(field.name)}
                text={(field.options ?? []).map(({ name }) => name).join(", ")}
                placeholder={words.optionsHint}
                disabled={!editable}
                take={(text) => {
                  const options = optionsOf(text, field);
                  board.submit({ type: "field.set", field: field.id, options });
                }}
              />
            )}
            {editable && (
              <IconButton
                icon={Trash2}
                label={t.deleteThing(field.name)}
                act={() => board.submit({ type: "field.remove", field: field.id })}
              />
            )}
          </li>
        ))}
      </ul>
      {editable && (
        <AddRow
          label={words.add}
          add={(name, form) => {
            const kind = form.get("kind") as FieldKind;
            board.submit({ type: "field.create", field: newId(), name, kind });
          }}
        >
          <select name="kind" className="compact" aria-label={words.kind}>
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {words.kinds[kind]}
              </option>
            ))}
          </select>
        </AddRow>
      )}
    </section>
  );
}

/** What is offered, by names with commas between them: an option that stays keeps its id and its colour. */
function optionsOf(text: string, field: Field): FieldOption[] {
  const names = text.split(",").map((name) => name.trim());
  return [...new Set(names.filter(Boolean))].map(
    (name) => field.options?.find((option) => option.name === name) ?? { id: newId(), name },
  );
}
