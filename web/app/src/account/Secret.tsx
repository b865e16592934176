import { Copy } from "lucide-react";
import { useRef } from "react";
import { t } from "../text/index.js";
import { tell } from "../told.js";

/** A text that is shown once, to be copied. */
export function Secret({ label, text }: { label: string; text: string }) {
  const field = useRef<HTMLInputElement>(null);
  async function copy() {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      tell(t.share.copied);
    } catch {
      // Without the right to the clipboard the text is selected, to be copied by hand.
      tell(t.share.selected);
    }
  }
  return (
    <div className="secret" role="status">
      <label>
        {label}
        <input
          ref={field}
          readOnly
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <button type="button" onClick={() => void copy()}>
        <Copy aria-hidden="true" />
        {t.share.copy}
      </button>
    </div>
  );
}
