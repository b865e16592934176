import { type FormEvent, useState } from "react";
import { answered } from "../account/asked.js";
import { Secret } from "../account/Secret.js";
import { day, t } from "../text/index.js";
import { usePages } from "./pages.js";
import { Alert, Heads, More, Table } from "./parts.js";

const PATH = "/api/v1/admin/users";

/** An account, as the server tells it. */
type User = {
  user: string;
  name: string;
  email: string;
  admin: boolean;
  disabled: boolean;
  bot: boolean;
  has_password: boolean;
  created: number;
};

/** A link that sets a password, and whom it is for. */
type Link = { name: string; address: string };

/** The accounts of the server. */
export function Users() {
  const { list, told, setTold, more, load } = usePages<User>(PATH, "users", "after");
  const [link, setLink] = useState<Link>();

  async function change(method: string, path: string, body?: object) {
    const answer = await answered(method, `${PATH}${path}`, body);
    if (!answer.ok) setTold(answer.detail);
    else await load();
    return answer.ok ? answer.body : undefined;
  }

  async function reset({ user, name }: User) {
    const made = await change("POST", `/${user}/links`);
    if (made) setLink({ name, address: addressOf(made) });
  }

  async function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const name = `${fields.get("name")}`.trim();
    const email = `${fields.get("email")}`.trim();
    const made = await change("POST", "", { name, email, admin: fields.get("admin") === "on" });
    if (!made) return;
    setLink({ name, address: addressOf(made) });
    form.reset();
  }

  const words = t.admin.users;
  return (
    <>
      <form className="row" onSubmit={add}>
        <input
          name="name"
          required
          maxLength={256}
          aria-label={t.account.name}
          placeholder={t.account.name}
        />
        <input
          name="email"
          type="email"
          required
          maxLength={254}
          aria-label={t.account.email}
          placeholder={t.account.email}
        />
        <label className="check">
          <input name="admin" type="checkbox" />
          {words.admin}
        </label>
        <button type="submit" className="primary compact">
          {words.add}
        </button>
      </form>
      <Alert told={told} />
      {link && <Secret key={link.address} label={words.link(link.name)} text={link.address} />}
      <Table
        label={t.admin.parts.users}
        heads={<Heads names={[words.who, words.user, words.state, words.made, words.actions]} />}
      >
        {list?.map((user) => (
          <Row
            key={user.user}
            user={user}
            change={(body) => void change("PATCH", `/${user.user}`, body)}
            reset={() => void reset(user)}
          />
        ))}
      </Table>
      <More more={more} />
    </>
  );
}

function Row(props: { user: User; change(body: object): void; reset(): void }) {
  const { user, name, email, admin, disabled, bot, has_password, created } = props.user;
  const words = t.admin.users;
  const marks = [
    ...(admin ? [words.admin] : []),
    ...(bot ? [words.bot] : []),
    ...(disabled ? [words.disabled] : []),
    ...(bot || has_password ? [] : [words.noPassword]),
  ];
  return (
    <tr>
      <th scope="row">
        {name}
        {email && <span className="soft">{email}</span>}
      </th>
      <td>
        <code>{user}</code>
      </td>
      <td>
        {marks.map((mark) => (
          <span key={mark} className="mark">
            {mark}
          </span>
        ))}
      </td>
      <td>{day(created)}</td>
      <td className="buttons">
        <button
          type="button"
          aria-label={disabled ? words.enableWho(name) : words.disableWho(name)}
          onClick={() => props.change({ disabled: !disabled })}
        >
          {disabled ? words.enable : words.disable}
        </button>
        <button
          type="button"
          aria-label={admin ? words.unmakeAdminWho(name) : words.makeAdminWho(name)}
          onClick={() => props.change({ admin: !admin })}
        >
          {admin ? words.unmakeAdmin : words.makeAdmin}
        </button>
        {!bot && !disabled && (
          <button type="button" aria-label={words.resetWho(name)} onClick={props.reset}>
            {words.reset}
          </button>
        )}
      </td>
    </tr>
  );
}

/** Where a link leads, as people open it. */
function addressOf({ url, link }: Record<string, unknown>): string {
  return typeof url === "string" ? url : `${location.origin}${link}`;
}
