import type { Card, Field, FieldValue } from "@boardcast/client";
import { useAll, useBoard } from "../live.js";
import { TextField } from "../parts/TextField.js";
import { byName } from "../text/index.js";
import { DateField } from "./DateField.js";

/** The time that a day of a field gets which has none yet. */
const TIME = "12:00";
/** Longest number, in characters: the limit of the protocol. */
const NUMBER_MAX = 40;

/** The board's own fields of a card. */
export function CustomFields({ card }: { card: Card }) {
  const board = useBoard();
  const fields = [...useAll("fields")].sort((a, b) => byName(a.name, b.name));
  return fields.map((field) => (
    <Value
      key={field.id}
      field={field}
      value={card.fields?.find(({ id }) => id === field.id)?.value}
      set={(value) => board.submit({ type: "card.field", card: card.id, field: field.id, value })}
    />
  ));
}

function Value(props: {
  field: Field;
  value: FieldValue | undefined;
  set(value: FieldValue | null): void;
}) {
  const { field, value, set } = props;
  const { name } = field;
  switch (field.kind) {
    case "text":
      return (
        <div className="field">
          <span aria-hidden="true">{name}</span>
          <TextField
            label={name}
            text={value && "text" in value ? value.text : ""}
            take={(text) => set(text ? { text } : null)}
          />
        </div>
      );
    case "number":
      return (
        <div className="field">
          <span aria-hidden="true">{name}</span>
          <TextField
            label={name}
            inputMode="decimal"
            maxLength={NUMBER_MAX}
            text={value && "number" in value ? value.number : ""}
            take={(number) => set(number ? { number: number.replace(",", ".") } : null)}
          />
        </div>
      );
    case "checkbox":
      return (
        <label className="check">
          <input
            type="checkbox"
            checked={value !== undefined && "checkbox" in value && value.checkbox}
            onChange={(event) => set(event.target.checked ? { checkbox: true } : null)}
          />
          {name}
        </label>
      );
    case "date":
      return (
        <DateField
          label={name}
          otherwise={TIME}
          value={value && "date" in value ? value.date : null}
          set={(date) => set(date === null ? null : { date })}
        />
      );
    case "list":
      return (
        <label>
          {name}
          <select
            value={value && "option" in value ? value.option : ""}
            onChange={(event) => set(event.target.value ? { option: event.target.value } : null)}
          >
            <option value="" />
            {field.options?.map((option) => (
              <option key={option.id} value={option.id}>
                {option.name}
              </option>
            ))}
          </select>
        </label>
      );
  }
}
