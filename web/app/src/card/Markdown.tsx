import type { Member } from "@boardcast/client";
import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "react";
import { useAll, useBoard } from "../live.js";

/** The names of members by id, of the text that is being read. */
let names: ReadonlyMap<string, Member> = new Map();

/** HTML in the text is text; `@` and the id of a member is the name. */
const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [
    {
      name: "mention",
      level: "inline",
      start: (text) => /(?<![\p{L}\p{N}_.-])@/u.exec(text)?.index,
      tokenizer(text) {
        const [raw, id = ""] = /^@([A-Za-z0-9_-]{1,22})/.exec(text) ?? [];
        const name = names.get(id)?.name;
        return raw && name ? { type: "mention", raw, text: name } : undefined;
      },
      renderer: ({ text }) => `<strong>@${escaped(`${text}`)}</strong>`,
    },
  ],
  renderer: {
    html: ({ text }) => escaped(text),
    // The headings of a text stand below those of the card.
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + 3);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

/** What Markdown may become; all else is taken out, and nothing is fetched from elsewhere. */
const ALLOWED = {
  ALLOWED_TAGS: [
    ...["p", "br", "em", "strong", "del", "code", "pre", "blockquote", "hr", "a"],
    ...["ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "input"],
    ...["table", "thead", "tbody", "tr", "th", "td"],
  ],
  ALLOWED_ATTR: ["href", "title", "start", "type", "checked", "disabled", "align"],
  // These schemes, or none.
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
};

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  // The boxes of task lists, and no other field.
  if (node.tagName === "INPUT" && node.getAttribute("type") !== "checkbox") node.remove();
  if (node.tagName === "INPUT") node.setAttribute("disabled", "");
  if (node.tagName !== "A") return;
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
});

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** A text in Markdown, in which members of the board are named. */
export function Markdown({ text }: { text: string }) {
  const board = useBoard();
  const members = useAll("members");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map stays the same, its members do not
  const html = useMemo(() => {
    names = board.all("members");
    return purify.sanitize(marked.parse(text, { async: false }), ALLOWED);
  }, [board, members, text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: it has been sanitized
  return <div className="prose" dangerouslySetInnerHTML={{ __html: html }} />;
}
