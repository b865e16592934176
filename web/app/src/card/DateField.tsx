import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../parts/IconButton.js";
import { t } from "../text/index.js";
import { dayOf, momentOf, timeOf, zone } from "./dates.js";

/**
 * A day and a time, in the browser's own fields: its calendar, its order of day and month, its time
 * zone. A day that is chosen first gets the time `otherwise`.
 */
export function DateField(props: {
  label: string;
  value: number | null | undefined;
  otherwise: string;
  set(ms: number | null): void;
}) {
  const { label, value, otherwise, set } = props;
  const dayField = useRef<HTMLInputElement>(null);
  const timeField = useRef<HTMLInputElement>(null);
  const has = typeof value === "number";

  // What somebody else chooses does not take away what is being typed; it shows when the field is left.
  const show = (field: HTMLInputElement | null, text: string) => {
    if (field && field !== document.activeElement) field.value = text;
  };
  useEffect(() => {
    show(dayField.current, dayOf(value));
    show(timeField.current, typeof value === "number" ? timeOf(value) : "");
  });

  function clear() {
    const field = dayField.current;
    if (field) field.value = "";
    field?.focus();
    set(null);
  }

  function take() {
    const time = timeField.current?.value || (has ? timeOf(value) : otherwise);
    const ms = momentOf(dayField.current?.value ?? "", time);
    if (ms !== undefined && ms !== value) set(ms);
  }

  return (
    <div className="date">
      <label>
        {label}
        <input
          ref={dayField}
          type="date"
          min="1970-01-01"
          max="9999-12-31"
          defaultValue={dayOf(value)}
          onChange={take}
          onBlur={(event) => {
            event.target.value = dayOf(value);
          }}
        />
      </label>
      {has && (
        <>
          <input
            ref={timeField}
            type="time"
            aria-label={t.dates.time(label)}
            title={t.dates.zone(zone())}
            defaultValue={timeOf(value)}
            onChange={take}
            onBlur={(event) => {
              event.target.value = timeOf(value);
            }}
          />
          <IconButton icon={X} label={t.dates.clear(label)} act={clear} />
        </>
      )}
    </div>
  );
}
