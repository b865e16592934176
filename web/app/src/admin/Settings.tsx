import { useEffect, useState } from "react";
import { answered } from "../account/asked.js";
import { bytes, number, t } from "../text/index.js";
import { Alert, Heads, Table } from "./parts.js";

/** A setting, as the server tells it. */
type Setting = { name: string; value: unknown; from: keyof typeof t.admin.settings.sources };

/** Every setting in force, limits among them, and where it comes from. */
export function Settings() {
  const [list, setList] = useState<readonly Setting[]>([]);
  const [told, setTold] = useState("");
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    let gone = false;
    void answered("GET", "/api/v1/admin/settings").then((answer) => {
      if (gone) return;
      setTold(answer.ok ? "" : answer.detail);
      if (answer.ok) setList(answer.body.settings as Setting[]);
    });
    return () => {
      gone = true;
    };
  }, []);
  const words = t.admin.settings;
  const shown = list.filter(({ name }) => name.includes(wanted.trim().toLowerCase()));
  return (
    <>
      <p className="soft">{words.hint}</p>
      <input
        type="search"
        className="narrow"
        aria-label={words.find}
        placeholder={words.find}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      <Alert told={told} />
      <Table
        label={t.admin.parts.settings}
        heads={<Heads names={[words.name, words.value, words.from]} />}
      >
        {shown.map(({ name, value, from }) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>{written(name, value)}</td>
            <td className={from === "default" ? "soft" : ""}>{words.sources[from] ?? from}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** A value in the unit that the name of its setting says. */
function written(name: string, value: unknown): string {
  if (typeof value === "number") {
    const plain = number(value);
    if (name.endsWith("_bytes")) return `${plain} (${bytes(value)})`;
    return name.endsWith("_ms") ? t.admin.settings.ms(plain) : plain;
  }
  if (Array.isArray(value)) return value.join(", ") || "–";
  return `${value ?? ""}` || "–";
}
