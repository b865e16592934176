import type { Rejection } from "@boardcast/client";
import { useBoard, useStatus } from "../live.js";
import { t } from "../text/index.js";
import { refusal } from "../text/refusals.js";

/** What the person has to hear of what was not done, and to decide. */
export function Notices() {
  const board = useBoard();
  const { rejections, held } = useStatus(board);
  if (rejections.length === 0 && held.length === 0) return null;
  const forHeld = (decide: (key: number) => void) => {
    for (const { key } of held) decide(key);
  };
  return (
    <div className="notices" role="alert">
      {held.length > 0 && (
        <div className="notice">
          <p>{t.held(held.length)}</p>
          <button type="button" onClick={() => forHeld((key) => board.release(key))}>
            {t.doAgain}
          </button>
          <button type="button" onClick={() => forHeld((key) => board.discard(key))}>
            {t.giveUp}
          </button>
        </div>
      )}
      {rejections.map((rejection) =>
        rejection.cmds[0]?.type === "version.undo" ? (
          <UndoNotice key={rejection.key} rejection={rejection} />
        ) : rejection.conflict ? (
          <ConflictNotice key={rejection.key} rejection={rejection} />
        ) : (
          <div key={rejection.key} className="notice">
            <p>{t.rejected(refusal(rejection.reason, rejection.hint))}</p>
            <button type="button" onClick={() => board.dismiss(rejection)}>
              {t.dismiss}
            </button>
          </div>
        ),
      )}
    </div>
  );
}

/** What was not undone, and what is there now where somebody has changed it. */
function UndoNotice({ rejection }: { rejection: Rejection }) {
  const board = useBoard();
  const { conflict } = rejection;
  return (
    <div className="notice conflict">
      <p>{t.undoing.failed(refusal(rejection.reason, rejection.hint))}</p>
      {conflict && conflict.field !== "place" && (
        <dl>
          <dt>{t.mine}</dt>
          <dd>{written(conflict.mine)}</dd>
          <dt>{t.theirs}</dt>
          <dd>{written(conflict.theirs)}</dd>
        </dl>
      )}
      <button type="button" onClick={() => board.dismiss(rejection)}>
        {t.dismiss}
      </button>
    </div>
  );
}

function ConflictNotice({ rejection }: { rejection: Rejection }) {
  const board = useBoard();
  const { mine, theirs } = rejection.conflict ?? {};
  return (
    <div className="notice conflict">
      <p>{t.conflict}</p>
      <dl>
        <dt>{t.mine}</dt>
        <dd>{written(mine)}</dd>
        <dt>{t.theirs}</dt>
        <dd>{written(theirs)}</dd>
      </dl>
      <button type="button" onClick={() => board.takeMine(rejection)}>
        {t.useMine}
      </button>
      <button type="button" onClick={() => board.dismiss(rejection)}>
        {t.keepTheirs}
      </button>
    </div>
  );
}

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
