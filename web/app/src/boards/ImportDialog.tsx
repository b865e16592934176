import { useEffect, useRef, useState } from "react";
import { at } from "../base.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { follow } from "../route.js";
import { bytes, t } from "../text/index.js";
import { type Importing, importFile, type Report } from "./importing.js";

type State =
  | { is: "choosing"; told: string }
  | { is: "sending"; file: File; gone: number }
  | { is: "done"; report: Report };

/** Makes a board of a file, and says what of it was left out. */
export default function ImportDialog({ close }: { close(): void }) {
  const [state, setState] = useState<State>({ is: "choosing", told: "" });
  const running = useRef<Importing>(undefined);
  useEffect(() => () => running.current?.stop(), []);

  async function take(file: File | undefined) {
    if (!file) return;
    setState({ is: "sending", file, gone: 0 });
    const importing = importFile(file, (gone) => setState({ is: "sending", file, gone }));
    running.current = importing;
    try {
      setState({ is: "done", report: await importing.done });
    } catch (error) {
      setState({ is: "choosing", told: (error as Error).message });
    }
    running.current = undefined;
  }

  return (
    <TitledDialog title={t.importing.title} size="wide" close={close}>
      {state.is === "choosing" && (
        <>
          <p>{t.importing.hint}</p>
          <p role="alert" className={state.told ? "told" : "unseen"}>
            {state.told}
          </p>
          <input
            type="file"
            accept=".json,application/json"
            aria-label={t.importing.file}
            onChange={(event) => void take(event.target.files?.[0])}
          />
        </>
      )}
      {state.is === "sending" && (
        <>
          <p role="status">
            {state.gone < state.file.size
              ? t.importing.sending(bytes(state.gone), bytes(state.file.size))
              : t.importing.reading}
          </p>
          <progress
            aria-label={state.file.name}
            max={Math.max(1, state.file.size)}
            value={state.gone}
          />
          <button type="button" onClick={() => running.current?.stop()}>
            {t.cancel}
          </button>
        </>
      )}
      {state.is === "done" && <Told report={state.report} />}
    </TitledDialog>
  );
}

/** What has become of the file. */
function Told({ report }: { report: Report }) {
  const words = t.importing;
  const { columns, cards, skipped } = report;
  const path = `/b/${report.board}`;
  const kinds = [
    "labels",
    "checklists",
    "check_items",
    "comments",
    "attachments",
    "members",
  ] as const;
  return (
    <>
      <p role="status">{words.outcomes[report.outcome]}</p>
      <dl className="report">
        <dt>{words.columns}</dt>
        <dd>{words.openAndArchived(columns.open, columns.archived)}</dd>
        <dt>{words.cards}</dt>
        <dd>{words.openAndArchived(cards.open, cards.archived)}</dd>
        {kinds.map((kind) => (
          <div key={kind}>
            <dt>{words.kinds[kind]}</dt>
            <dd>{report[kind]}</dd>
          </div>
        ))}
      </dl>
      <h3>{words.skipped}</h3>
      {skipped.length === 0 && <p>{words.nothingSkipped}</p>}
      <ul className="skipped">
        {skipped.map(({ what, count, why }) => (
          <li key={`${what} ${why}`}>{words.left(what, count, why)}</li>
        ))}
      </ul>
      <p>
        <a href={at(path)} onClick={(event) => follow(event, path)}>
          {words.open}
        </a>
      </p>
    </>
  );
}
