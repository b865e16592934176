import type { Member, Role } from "@boardcast/client";
import { Trash2 } from "lucide-react";
import type { FormEvent } from "react";
import { Avatar } from "../board/CardTile.js";
import { Notices } from "../board/Notices.js";
import { useAll, useBoard, useStatus } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { byName, t } from "../text/index.js";
import { Sharing } from "./Sharing.js";

const ROLES = ["viewer", "commenter", "editor", "admin"] as const satisfies Role[];

/** Who may do what on the board; its admins change it. */
export default function MembersDialog({ close }: { close(): void }) {
  const board = useBoard();
  const isAdmin = useStatus(board).role === "admin";
  const members = [...useAll("members")].sort((a, b) => byName(a.name, b.name));

  function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    board.submit({
      type: "member.add",
      user: `${fields.get("user")}`.trim(),
      role: fields.get("role") as Role,
    });
    form.reset();
  }

  return (
    <TitledDialog title={t.members.title} size="wide" close={close}>
      <Notices />
      <ul className="members">
        {members.map((member) => (
          <Row key={member.id} member={member} isAdmin={isAdmin} />
        ))}
      </ul>
      {isAdmin && (
        <form className="add-member" onSubmit={add}>
          <input
            name="user"
            required
            pattern="[A-Za-z0-9_\\-]{1,22}"
            aria-label={t.members.user}
            placeholder={t.members.user}
            title={t.members.userHint}
          />
          <Roles name="role" label={t.members.role} />
          <button type="submit" className="primary compact">
            {t.members.add}
          </button>
        </form>
      )}
      {isAdmin && <Sharing />}
    </TitledDialog>
  );
}

function Row({ member, isAdmin }: { member: Member; isAdmin: boolean }) {
  const board = useBoard();
  const { id: user, name, role } = member;
  return (
    <li>
      <Avatar user={user} />
      <span className="name">{name}</span>
      {isAdmin ? (
        <Roles
          label={t.members.roleOf(name)}
          value={role}
          change={(role) => board.submit({ type: "member.add", user, name, role })}
        />
      ) : (
        <span className="role">{t.members.roles[role]}</span>
      )}
      {isAdmin && (
        <IconButton
          icon={Trash2}
          label={t.members.remove(name)}
          act={() => board.submit({ type: "member.remove", user })}
        />
      )}
    </li>
  );
}

function Roles(props: { label: string; name?: string; value?: Role; change?(role: Role): void }) {
  const chosen = props.change
    ? {
        value: props.value,
        onChange: (event: React.ChangeEvent<HTMLSelectElement>) =>
          props.change?.(event.target.value as Role),
      }
    : { defaultValue: "editor" };
  return (
    <select className="compact" aria-label={props.label} name={props.name} {...chosen}>
      {ROLES.map((role) => (
        <option key={role} value={role} title={t.members.what[role]}>
          {t.members.roles[role]}
        </option>
      ))}
    </select>
  );
}
