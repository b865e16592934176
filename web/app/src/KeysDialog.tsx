import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { t } from "./text/index.js";

/** Which keys do what. */
export default function KeysDialog({ close }: { close(): void }) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || close()}>
      <Modal className="modal small">
        <Dialog>
          <Heading slot="title">{t.keys.title}</Heading>
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
          <button type="button" onClick={close}>
            {t.close}
          </button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
