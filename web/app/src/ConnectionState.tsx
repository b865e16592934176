import type { LiveBoard } from "@boardcast/client";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { at } from "./base.js";
import { useClient, useLink } from "./live.js";
import { useHasNewer } from "./offline/version.js";
import { t } from "./text/index.js";
import { closing } from "./text/refusals.js";

const NOTHING = () => () => {};

/** What is true of the connection, of what the person has done, and of the page itself. */
export function ConnectionState({ board }: { board?: LiveBoard }) {
  const newer = useHasNewer();
  return (
    <>
      <Connection {...(board && { board })} />
      {newer && (
        <button
          type="button"
          className="link"
          title={t.newVersion.told}
          onClick={() => location.reload()}
        >
          {t.newVersion.load}
        </button>
      )}
    </>
  );
}

function Connection({ board }: { board?: LiveBoard }) {
  const client = useClient();
  const link = useLink();
  const listen = board ? (changed: () => void) => board.listenStatus(changed) : NOTHING;
  const unsaved = useSyncExternalStore(listen, () => board?.status.unsaved ?? 0);
  const joined = useSyncExternalStore(listen, () => !board || board.status.phase === "live");
  const seconds = useSecondsUntil(link.name === "waiting" ? link.retry_at : undefined);
  const worked = useRef(false);
  worked.current ||= unsaved > 0;
  const left = unsaved > 0 ? ` · ${t.state.unsaved(unsaved)}` : "";
  const again = (label: string) => (
    <button type="button" className="link" onClick={() => client.reconnect()}>
      {label}
    </button>
  );
  const offline = useIsOffline();
  switch (link.name) {
    case "connecting":
      return <Line kind="off">{t.state.connecting + left}</Line>;
    case "waiting":
      return (
        <Line kind="off">
          {(offline ? t.state.offline : t.state.waiting(seconds)) + left} {again(t.state.now)}
        </Line>
      );
    case "closed":
      return link.code === 4502 ? (
        <Line kind="off">
          <a href={at("/sign-in")}>{t.state.signedOut}</a>
          {left}
        </Line>
      ) : (
        <Line kind="off">
          {t.state.closed(closing(link.code, link.reason)) + left} {again(t.state.again)}
        </Line>
      );
    case "live":
      if (!joined) return <Line kind="off">{t.loading + left}</Line>;
      if (unsaved > 0) return <Line kind="busy">{t.state.saving(unsaved)}</Line>;
      if (!client.keeps) return <Line kind="off">{t.state.notKept}</Line>;
      return <Line kind="live">{worked.current ? t.state.saved : t.state.live}</Line>;
  }
}

function Line({ kind, children }: { kind: string; children: React.ReactNode }) {
  return (
    <p className={`connection ${kind}`} role="status">
      <span className="dot" aria-hidden="true" />
      {children}
    </p>
  );
}

/** Whether the browser knows of no network: then it is not time that helps. */
function useIsOffline(): boolean {
  return useSyncExternalStore(
    (changed) => {
      addEventListener("online", changed);
      addEventListener("offline", changed);
      return () => {
        removeEventListener("online", changed);
        removeEventListener("offline", changed);
      };
    },
    () => !navigator.onLine,
  );
}

function useSecondsUntil(at: number | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(0, Math.ceil((at - now) / 1_000));
}
