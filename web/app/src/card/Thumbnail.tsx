import type { Attachment } from "@boardcast/client";
import { File as FileIcon, Link } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { credentials } from "../session.js";

/** What the server makes thumbnails of. */
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** The thumbnail of a file at a path, or a sign for what has none. */
export function Thumbnail({ file, path }: { file: Attachment; path: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [shown, setShown] = useState(false);
  const isImage = !file.url && IMAGES.includes(file.mime ?? "");
  useEffect(() => {
    if (!isImage) return;
    const gone = new AbortController();
    const draw = async () => {
      // An `img` would ask without the token of a link, and the page shows no images from elsewhere.
      const answer = await fetch(`${path}/thumbnail`, {
        headers: credentials(),
        signal: gone.signal,
      });
      if (!answer.ok) return;
      const image = await createImageBitmap(await answer.blob());
      const place = canvas.current;
      if (place && !gone.signal.aborted) {
        place.width = image.width;
        place.height = image.height;
        place.getContext("2d")?.drawImage(image, 0, 0);
        setShown(true);
      }
      image.close();
    };
    draw().catch(() => {
      // The sign stays.
    });
    return () => gone.abort();
  }, [isImage, path]);
  return (
    <span className="thumbnail" aria-hidden="true">
      {isImage && <canvas ref={canvas} hidden={!shown} />}
      {!shown && (file.url ? <Link /> : <FileIcon />)}
    </span>
  );
}
