import "../styles/admin.css";
import { lazy, Suspense, useEffect } from "react";
import { at } from "../base.js";
import { ConnectionState } from "../ConnectionState.js";
import { Back } from "../parts/Back.js";
import { follow, PARTS, type Part } from "../route.js";
import { t } from "../text/index.js";
import { Audit } from "./Audit.js";
import { Connections } from "./Connections.js";
import { Settings } from "./Settings.js";
import { Users } from "./Users.js";

// Charts need a library that the other parts do without.
const Numbers = lazy(() => import("./Numbers.js"));

const SHOWN = {
  users: Users,
  connections: Connections,
  numbers: Numbers,
  settings: Settings,
  audit: Audit,
};

/** What administrators of the server see and do. The server refuses everybody else. */
export default function AdminPage({ part }: { part: Part }) {
  const Shown = SHOWN[part];
  useEffect(() => {
    document.title = `${t.admin.parts[part]} · ${t.admin.title} · ${t.boardcast}`;
  }, [part]);
  return (
    <div className="page admin">
      <header className="bar">
        <Back />
        <h1>{t.admin.title}</h1>
        <ConnectionState />
      </header>
      <nav className="parts" aria-label={t.admin.title}>
        {PARTS.map((one) => {
          const path = `/admin/${one}`;
          return (
            <a
              key={one}
              href={at(path)}
              aria-current={one === part ? "page" : undefined}
              onClick={(event) => follow(event, path)}
            >
              {t.admin.parts[one]}
            </a>
          );
        })}
      </nav>
      <main>
        <Suspense fallback={<p className="empty">{t.loading}</p>}>
          <Shown />
        </Suspense>
      </main>
    </div>
  );
}
