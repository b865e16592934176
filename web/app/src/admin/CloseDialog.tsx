import { type FormEvent, useState } from "react";
import { answered } from "../account/asked.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { t } from "../text/index.js";
import type { Connection } from "./Connections.js";

/** Ends a connection, with a reason that its client is told. */
export function CloseDialog({ one, done }: { one: Connection; done(): void }) {
  const [told, setTold] = useState("");
  const words = t.admin.connections;

  async function end(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const reason = `${new FormData(event.currentTarget).get("reason")}`.trim();
    const query = reason && `?reason=${encodeURIComponent(reason)}`;
    const answer = await answered("DELETE", `/api/v1/admin/connections/${one.id}${query}`);
    // One that is not there any more has ended.
    if (answer.ok || answer.status === 404) done();
    else setTold(answer.detail);
  }

  return (
    <TitledDialog title={words.closing(one.id, one.user ?? words.nobody)} size="small" close={done}>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      <form className="form" onSubmit={end}>
        <label>
          {words.reason}
          <input name="reason" maxLength={95} aria-description={words.reasonHint} />
        </label>
        <div className="buttons">
          <button type="submit" className="danger">
            {words.end}
          </button>
          <button type="button" onClick={done}>
            {t.cancel}
          </button>
        </div>
      </form>
    </TitledDialog>
  );
}
