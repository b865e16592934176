import type { Member } from "@boardcast/client";
import {
  type KeyboardEvent,
  type RefObject,
  type TextareaHTMLAttributes,
  useId,
  useState,
} from "react";
import { useAll } from "../live.js";
import { byName, t } from "../text/index.js";

/** Members that are offered at most: who looks for another one types more. */
const OFFERED_MAX = 6;

type Props = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onKeyDown"> & {
  field: RefObject<HTMLTextAreaElement | null>;
  /** Control and Enter. */
  send(): void;
  /** Escape, where nobody is offered. */
  giveUp?(): void;
};

/** A text in which `@` offers the members of the board; the chosen one stands there by the id. */
export function MentionField({ field, send, giveUp, ...rest }: Props) {
  const members = useAll("members");
  const list = useId();
  const [begun, setBegun] = useState<string>();
  const [at, setAt] = useState(0);
  const offers = begun === undefined ? [] : offered(members, begun);
  const chosen = offers[Math.min(at, offers.length - 1)];

  function look() {
    const { value, selectionStart } = field.current ?? { value: "", selectionStart: 0 };
    setBegun(/(?:^|[\s(])@([\p{L}\p{N}_-]*)$/u.exec(value.slice(0, selectionStart))?.[1]);
    setAt(0);
  }

  function choose({ id }: Member) {
    const { current } = field;
    if (!current) return;
    const end = current.selectionStart;
    current.setRangeText(`@${id} `, end - (begun?.length ?? 0) - 1, end, "end");
    current.focus();
    setBegun(undefined);
  }

  function pressed(event: KeyboardEvent) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (sends) send();
    else if (chosen && step) setAt((at + step + offers.length) % offers.length);
    else if (chosen && (event.key === "Enter" || event.key === "Tab")) choose(chosen);
    else if (chosen && event.key === "Escape") setBegun(undefined);
    else if (event.key === "Escape" && giveUp) giveUp();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div className="picker">
      <textarea
        {...rest}
        ref={field}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={list}
        aria-activedescendant={chosen && `${list}-${chosen.id}`}
        onInput={look}
        onKeyDown={pressed}
      />
      <div id={list} role="listbox" aria-label={t.mention} hidden={offers.length === 0}>
        {offers.map((member) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus
          <div
            key={member.id}
            id={`${list}-${member.id}`}
            role="option"
            aria-selected={member === chosen}
            onClick={() => choose(member)}
          >
            {member.name}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Members whose id or a word of whose name begins so. */
function offered(members: readonly Member[], begun: string): Member[] {
  const start = begun.toLowerCase();
  const fits = ({ id, name }: Member) =>
    [id, ...name.split(/\s+/)].some((word) => word.toLowerCase().startsWith(start));
  return members
    .filter(fits)
    .sort((a, b) => byName(a.name, b.name))
    .slice(0, OFFERED_MAX);
}
