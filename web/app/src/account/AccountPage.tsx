import { type FormEvent, useState } from "react";
import { at } from "../base.js";
import { post, remember } from "../session.js";
import { t } from "../text/index.js";

const PAGES = {
  "sign-in": { title: "signIn", to: "/api/v1/sessions", fields: ["email", "password"] },
  "first-start": {
    title: "firstStart",
    to: "/api/v1/first-start",
    fields: ["name", "email", "password"],
  },
  password: { title: "password", to: "/api/v1/password", fields: ["password"] },
} as const;

/** Signs somebody in, makes the first administrator, or sets a password. */
export function AccountPage({ name, notice = "" }: { name: keyof typeof PAGES; notice?: string }) {
  const { title, to, fields } = PAGES[name];
  const fresh = name !== "sign-in";
  const link = /link=([A-Za-z0-9_-]+)/.exec(location.hash)?.[1];
  const [told, setTold] = useState(fresh && !link ? t.account.noLink : notice);
  const [busy, setBusy] = useState(false);
  const has = (field: string) => (fields as readonly string[]).includes(field);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(event.currentTarget));
    setBusy(true);
    setTold("");
    try {
      const answer = await post(to, fresh ? { ...body, link: link ?? "" } : body);
      if (answer.ok) {
        remember(answer.body.user);
        return location.replace(at("/"));
      }
      setTold(answer.detail);
    } catch {
      setTold(t.account.unreachable);
    }
    setBusy(false);
  }

  return (
    <main className="account">
      <form onSubmit={submit}>
        <h1>{t.account[title]}</h1>
        {has("name") && (
          <label>
            {t.account.name}
            <input name="name" autoComplete="name" required maxLength={256} />
          </label>
        )}
        {has("email") && (
          <label>
            {t.account.email}
            <input name="email" type="email" autoComplete="username" required maxLength={254} />
          </label>
        )}
        <label>
          {t.account.passwordField}
          <input
            name="password"
            type="password"
            autoComplete={fresh ? "new-password" : "current-password"}
            required
            minLength={fresh ? 10 : 1}
            maxLength={256}
          />
        </label>
        <p role="alert" className="told">
          {told}
        </p>
        <button type="submit" className="primary" disabled={busy}>
          {t.account.go}
        </button>
      </form>
    </main>
  );
}
