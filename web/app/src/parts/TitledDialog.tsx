import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { t } from "../text/index.js";
import { IconButton } from "./IconButton.js";

/** A dialog with a title and a way out; a press beside it and Escape close it too. */
export function TitledDialog(props: {
  title: string;
  size: "small" | "wide";
  close(): void;
  children: ReactNode;
}) {
  const { title, size, close, children } = props;
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || close()}>
      <Modal className={`modal ${size}`}>
        <Dialog>
          <header>
            <Heading slot="title">{title}</Heading>
            <IconButton icon={X} label={t.close} act={close} />
          </header>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
