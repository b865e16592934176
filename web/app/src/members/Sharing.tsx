import type { Role } from "@boardcast/client";
import { type FormEvent, useState } from "react";
import { inDays, useAsked } from "../account/asked.js";
import { Secret } from "../account/Secret.js";
import { at } from "../base.js";
import { useBoard } from "../live.js";
import { moment, t } from "../text/index.js";

type Entry = { id: string; role?: Role; uses?: number; created: number; expires?: number | null };

/** Invitations and public links of the board, for its admins. */
export function Sharing() {
  return (
    <>
      <Invitations />
      <Links />
    </>
  );
}

function Invitations() {
  const board = useBoard();
  const path = `/api/v1/boards/${board.id}/invitations`;
  const { list, told, make, end } = useAsked<Entry>(path, "invitations");
  const [made, setMade] = useState<string>();
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const uses = Number(fields.get("uses"));
    const answer = await make({ role: fields.get("role"), uses });
    if (answer) setMade(`${location.origin}${at("/")}#invitation=${answer.invitation}`);
  }
  return (
    <section className="share" aria-labelledby="invitations">
      <h3 id="invitations">{t.share.invitations}</h3>
      <p className="role">{t.share.invitationsHint}</p>
      <form className="row" onSubmit={submit}>
        <select
          name="role"
          className="compact"
          aria-label={t.share.roleOfInvited}
          defaultValue="editor"
        >
          {(["viewer", "commenter", "editor", "admin"] as const).map((role) => (
            <option key={role} value={role}>
              {t.members.roles[role]}
            </option>
          ))}
        </select>
        <input
          name="uses"
          type="number"
          min={1}
          max={1_000}
          defaultValue={1}
          required
          aria-label={t.share.uses}
          title={t.share.uses}
        />
        <button type="submit" className="compact">
          {t.share.invite}
        </button>
      </form>
      <Entries list={list} told={told} end={end} />
      {made && <Secret label={t.share.once} text={made} />}
    </section>
  );
}

function Links() {
  const board = useBoard();
  const { list, told, make, end } = useAsked<Entry>(`/api/v1/boards/${board.id}/links`, "links");
  const [made, setMade] = useState<string>();
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const days = Number(new FormData(event.currentTarget).get("days"));
    const answer = await make(days > 0 ? { expires: inDays(days) } : {});
    if (answer) setMade(`${location.origin}${at(`/b/${board.id}`)}#view=${answer.link}`);
  }
  return (
    <section className="share" aria-labelledby="links">
      <h3 id="links">{t.share.links}</h3>
      <p className="role">{t.share.linksHint}</p>
      <form className="row" onSubmit={submit}>
        <select name="days" className="compact" aria-label={t.me.lasts} defaultValue="30">
          {[7, 30, 365].map((days) => (
            <option key={days} value={days}>
              {t.me.days(days)}
            </option>
          ))}
          <option value="0">{t.share.forEver}</option>
        </select>
        <button type="submit" className="compact">
          {t.share.makeLink}
        </button>
      </form>
      <Entries list={list} told={told} end={end} />
      {made && <Secret label={t.share.once} text={made} />}
    </section>
  );
}

function Entries(props: {
  list: readonly Entry[] | undefined;
  told: string;
  end(id: string): Promise<void>;
}) {
  return (
    <>
      <p role="alert" className={props.told ? "told" : "unseen"}>
        {props.told}
      </p>
      <ul className="members">
        {props.list?.map(({ id, role, uses, created, expires }) => {
          const what = role ? t.share.invited(t.members.roles[role], uses ?? 1) : t.share.link;
          return (
            <li key={id}>
              <span className="name">
                {what}
                <span className="role">
                  {" "}
                  {t.share.made(moment(created))}
                  {expires ? ` · ${t.me.until(moment(expires))}` : ""}
                </span>
              </span>
              <button
                type="button"
                aria-label={t.share.revokeThing(what)}
                onClick={() => void props.end(id)}
              >
                {t.share.revoke}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
