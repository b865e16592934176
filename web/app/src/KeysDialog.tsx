import { TitledDialog } from "./parts/TitledDialog.js";
import { t } from "./text/index.js";

/** Which keys do what. */
export default function KeysDialog({ close }: { close(): void }) {
  return (
    <TitledDialog title={t.keys.title} size="small" close={close}>
      <dl className="keys">
        {t.keys.list.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </TitledDialog>
  );
}
