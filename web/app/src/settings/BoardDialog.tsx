import { SIZES, type Size, useLook, useLookNow } from "../board/look.js";
import { Notices } from "../board/Notices.js";
import { canEdit } from "../board/rights.js";
import { useBoard, useStatus, useThing } from "../live.js";
import { ColorSelect } from "../parts/ColorSelect.js";
import { TitledDialog } from "../parts/TitledDialog.js";
import { t } from "../text/index.js";
import { BoardFields } from "./BoardFields.js";
import { BoardLabels } from "./BoardLabels.js";
import { BoardSprints } from "./BoardSprints.js";

/** How cards are shown here, and what is set of the board as a whole: its colour, its labels, sprints and own fields. */
export default function BoardDialog({ close }: { close(): void }) {
  const board = useBoard();
  const head = useThing("head", "");
  const { role } = useStatus(board);
  const editable = canEdit(board);
  const look = useLook();
  const { size } = useLookNow();
  return (
    <TitledDialog title={t.settings.title} size="wide" close={close}>
      <Notices />
      <div className="settings">
        <label className="field">
          {t.settings.size}
          <select value={size} onChange={(event) => look.size(event.target.value as Size)}>
            {SIZES.map((size) => (
              <option key={size} value={size}>
                {t.sizes[size]}
              </option>
            ))}
          </select>
        </label>
        <div className="field">
          <span aria-hidden="true">{t.settings.background}</span>
          <ColorSelect
            label={t.settings.background}
            color={head?.background}
            disabled={role !== "admin" || !editable}
            set={(background) => board.submit({ type: "board.set", background })}
          />
        </div>
        <BoardLabels editable={editable} />
        <BoardSprints editable={editable} />
        <BoardFields editable={editable} />
      </div>
    </TitledDialog>
  );
}
