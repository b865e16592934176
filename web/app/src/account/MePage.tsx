import { type FormEvent, useEffect, useState } from "react";
import { ConnectionState } from "../ConnectionState.js";
import { Back } from "../parts/Back.js";
import { SignOut } from "../parts/SignOut.js";
import {
  chooseLanguage,
  chosenLanguage,
  LANGUAGES,
  type Language,
  moment,
  t,
} from "../text/index.js";
import { tell } from "../told.js";
import { answered, inDays, useAsked } from "./asked.js";
import { Secret } from "./Secret.js";

type Session = {
  id: string;
  agent?: string | null;
  address?: string | null;
  used: number;
  current?: boolean;
};
type Token = { id: string; name: string; scope: string; expires: number; used?: number | null };

const SCOPES = ["read", "write", "admin"] as const;
/** Days for which a token is good, as they are offered. */
const DAYS = [7, 30, 90, 365] as const;

/** What is one's own: sessions, tokens for programs, the password. */
export default function MePage() {
  useEffect(() => {
    document.title = `${t.me.title} · ${t.boardcast}`;
  }, []);
  return (
    <div className="page">
      <header className="bar">
        <Back />
        <h1>{t.me.title}</h1>
        <ConnectionState />
        <SignOut />
      </header>
      <main className="boards me">
        <Sessions />
        <Tokens />
        <Password />
        <LanguageChoice />
      </main>
    </div>
  );
}

function Sessions() {
  const { list, told, end } = useAsked<Session>("/api/v1/sessions", "sessions");
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{t.me.sessions}</h2>
      <Alert told={told} />
      {list?.length === 0 && <p className="empty">{t.me.noSessions}</p>}
      <ul>
        {list?.map(({ id, agent, address, used, current }) => (
          <li key={id}>
            <span className="title">
              {agent || t.me.someBrowser}
              <span className="role">
                {address} · {t.me.used(moment(used))}
              </span>
            </span>
            {current ? (
              <span className="mark">{t.me.thisOne}</span>
            ) : (
              <button
                type="button"
                aria-label={t.me.endSession(agent || id)}
                onClick={() => void end(id)}
              >
                {t.me.end}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tokens() {
  const { list, told, make, end } = useAsked<Token>("/api/v1/tokens", "tokens");
  const [made, setMade] = useState<string>();
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const token = await make({
      name: `${fields.get("name")}`.trim(),
      scope: fields.get("scope"),
      expires: inDays(Number(fields.get("days"))),
    });
    if (!token) return;
    setMade(`${token.token}`);
    form.reset();
  }
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">{t.me.tokens}</h2>
      <p className="role">{t.me.tokensHint}</p>
      <Alert told={told} />
      <form className="row" onSubmit={submit}>
        <input
          name="name"
          required
          maxLength={256}
          aria-label={t.me.tokenName}
          placeholder={t.me.tokenName}
        />
        <select name="scope" className="compact" aria-label={t.me.scope} defaultValue="read">
          {SCOPES.map((scope) => (
            <option key={scope} value={scope}>
              {t.me.scopes[scope]}
            </option>
          ))}
        </select>
        <select name="days" className="compact" aria-label={t.me.lasts} defaultValue="90">
          {DAYS.map((days) => (
            <option key={days} value={days}>
              {t.me.days(days)}
            </option>
          ))}
        </select>
        <button type="submit" className="primary compact">
          {t.me.makeToken}
        </button>
      </form>
      {made && <Secret label={t.me.tokenOnce} text={made} />}
      <ul>
        {list?.map(({ id, name, scope, expires, used }) => (
          <li key={id}>
            <span className="title">
              {name}
              <span className="role">
                {t.me.scopes[scope as "read"] ?? scope} · {t.me.until(moment(expires))} ·{" "}
                {used ? t.me.used(moment(used)) : t.me.neverUsed}
              </span>
            </span>
            <button
              type="button"
              aria-label={t.share.revokeThing(name)}
              onClick={() => void end(id)}
            >
              {t.share.revoke}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Password() {
  const [told, setTold] = useState("");
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const body = Object.fromEntries(new FormData(form));
    const answer = await answered("PUT", "/api/v1/password", body);
    setTold(answer.ok ? "" : answer.detail);
    if (!answer.ok) return;
    form.reset();
    tell(t.me.changed);
  }
  return (
    <section aria-labelledby="password">
      <h2 id="password">{t.account.passwordField}</h2>
      <Alert told={told} />
      <form className="row" onSubmit={submit}>
        <input
          name="old"
          type="password"
          required
          autoComplete="current-password"
          aria-label={t.me.oldPassword}
          placeholder={t.me.oldPassword}
        />
        <input
          name="new"
          type="password"
          required
          minLength={10}
          maxLength={256}
          autoComplete="new-password"
          aria-label={t.me.newPassword}
          placeholder={t.me.newPassword}
        />
        <button type="submit" className="compact">
          {t.me.change}
        </button>
      </form>
    </section>
  );
}

/** The page speaks another language from the next load on, which is at once. */
function LanguageChoice() {
  function choose(language: string) {
    chooseLanguage(language === "" ? undefined : (language as Language));
    location.reload();
  }
  return (
    <section aria-labelledby="language">
      <h2 id="language">{t.me.language}</h2>
      <select
        className="compact"
        aria-labelledby="language"
        value={chosenLanguage() ?? ""}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{t.me.browserLanguage}</option>
        {Object.entries(LANGUAGES).map(([language, name]) => (
          <option key={language} value={language} lang={language}>
            {name}
          </option>
        ))}
      </select>
    </section>
  );
}

function Alert({ told }: { told: string }) {
  return (
    <p role="alert" className={told ? "told" : "unseen"}>
      {told}
    </p>
  );
}
