import type { Attachment, Card } from "@boardcast/client";
import { Download, Paperclip, Pencil, RotateCcw, X } from "lucide-react";
import { useCallback, useRef, useState, useSyncExternalStore } from "react";
import { at } from "../base.js";
import { InlineEdit } from "../board/InlineEdit.js";
import { useBoard, useThing } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { credentials } from "../session.js";
import { bytes, moment, t } from "../text/index.js";
import { problemText } from "../text/refusals.js";
import { useIncoming } from "./incoming.js";
import { Thumbnail } from "./Thumbnail.js";
import { allUploads, giveUp, listenUploads, retry, type Upload, upload } from "./uploads.js";

/** How long a file that is being saved is kept in memory, in milliseconds. */
const KEPT_MS = 10_000;

/** The files and links of a card, and files on their way to it. */
export function Attachments({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const uploads = useSyncExternalStore(listenUploads, allUploads);
  const [told, setTold] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const add = useCallback((files: File[]) => upload(board.id, card.id, files), [board.id, card.id]);
  const over = useIncoming(editable ? add : undefined);
  const files = [...(card.attachments ?? [])].sort((a, b) => a.added.at - b.added.at);
  const coming = uploads.filter((one) => one.board === board.id && one.card === card.id);
  const sent = coming.find(({ state }) => state.is === "sending")?.file.name;
  if (!editable && files.length === 0) return null;
  return (
    <section className="files" aria-labelledby="files">
      <h3 id="files">{t.files.title}</h3>
      <p role="alert" className={told ? "told" : "unseen"}>
        {told}
      </p>
      <p role="status" className="unseen">
        {sent ? t.files.sending(sent) : t.files.count(files.length)}
      </p>
      <ul aria-labelledby="files">
        {files.map((file) => (
          <Attached key={file.id} card={card.id} file={file} editable={editable} tell={setTold} />
        ))}
        {coming.map((one) => (
          <Coming key={one.id} one={one} />
        ))}
      </ul>
      {editable && (
        <>
          <input
            ref={field}
            type="file"
            multiple
            hidden
            aria-label={t.files.attach}
            onChange={(event) => {
              add([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <button type="button" className="quiet" onClick={() => field.current?.click()}>
            <Paperclip aria-hidden="true" />
            {t.files.attach}
          </button>
          <span className="hint">{t.files.hint}</span>
        </>
      )}
      {over && (
        <div className="drop">
          <p>{t.files.drop}</p>
        </div>
      )}
    </section>
  );
}

function Attached(props: {
  card: string;
  file: Attachment;
  editable: boolean;
  tell(text: string): void;
}) {
  const { card, file, editable, tell } = props;
  const board = useBoard();
  const by = useThing("members", file.added.by)?.name ?? file.added.by;
  const [renaming, setRenaming] = useState(false);
  const path = at(`/api/v1/boards/${board.id}/attachments/${file.id}`);
  const about = { card, attachment: file.id };
  const size = typeof file.size === "number" ? `${bytes(file.size)} · ` : "";
  return (
    <li>
      <Thumbnail file={file} path={path} />
      <div className="name">
        {renaming ? (
          <InlineEdit
            label={t.files.name}
            text={file.name}
            done={(text) => {
              setRenaming(false);
              const name = text?.trim();
              if (!name || name === file.name) return;
              board.submit({ type: "attachment.set", ...about, name });
            }}
          />
        ) : (
          <Name file={file} path={path} tell={tell} />
        )}
        <span className="about">
          {size}
          {by}, {moment(file.added.at)}
        </span>
      </div>
      {editable && (
        <>
          <IconButton
            icon={Pencil}
            label={t.files.rename(file.name)}
            act={() => setRenaming(true)}
          />
          <IconButton
            icon={X}
            label={t.files.remove(file.name)}
            act={() => board.submit({ type: "attachment.remove", ...about })}
          />
        </>
      )}
    </li>
  );
}

/** The name of an attachment, by which a link is opened and a file is downloaded. */
function Name(props: { file: Attachment; path: string; tell(text: string): void }) {
  const { file, path, tell } = props;
  if (file.url) {
    // No other scheme is followed, whatever a board says.
    if (!/^https?:/i.test(file.url)) return <span>{file.name}</span>;
    return (
      <a
        href={file.url}
        target="_blank"
        rel="noopener noreferrer nofollow"
        aria-label={t.files.open(file.name)}
      >
        {file.name}
      </a>
    );
  }
  return (
    <a
      href={path}
      download={file.name}
      aria-label={t.files.download(file.name)}
      onClick={(event) => {
        event.preventDefault();
        void download(path, file.name).then(tell);
      }}
    >
      {file.name} <Download aria-hidden="true" />
    </a>
  );
}

/** Saves a file; what went wrong, or nothing. A link alone would ask without the token of a tab. */
async function download(path: string, name: string): Promise<string> {
  try {
    const answer = await fetch(path, { headers: credentials() });
    if (!answer.ok) {
      return t.files.notFetched(name, problemText(await answer.text(), answer.statusText));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
    // Some browsers read it a little later.
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
    return "";
  } catch {
    return t.files.notFetched(name, t.account.unreachable);
  }
}

/** A file on its way: how far it is, or why it has not come. */
function Coming({ one }: { one: Upload }) {
  const { id, file, state } = one;
  const failed = state.is === "failed";
  const stop = failed ? t.files.dismiss(file.name) : t.files.stop(file.name);
  return (
    <li className="coming">
      <span className="thumbnail" aria-hidden="true">
        <Paperclip />
      </span>
      <div className="name">
        <span>{file.name}</span>
        {state.is === "waiting" && <span className="about">{t.files.waits}</span>}
        {state.is === "sending" && (
          <progress
            aria-label={t.files.sending(file.name)}
            max={Math.max(1, file.size)}
            value={state.bytes}
          />
        )}
        {failed && (
          <span role="alert" className="told">
            {t.files.failed(file.name, state.why)}
          </span>
        )}
      </div>
      {failed && (
        <IconButton icon={RotateCcw} label={t.files.again(file.name)} act={() => retry(id)} />
      )}
      <IconButton icon={X} label={stop} act={() => giveUp(id)} />
    </li>
  );
}
