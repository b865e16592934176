import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "react";

/** HTML in the text is text. */
const marked = new Marked({
  gfm: true,
  breaks: true,
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

/** A text in Markdown. */
export function Markdown({ text }: { text: string }) {
  const html = useMemo(() => {
    return purify.sanitize(marked.parse(text, { async: false }), ALLOWED);
  }, [text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: it has been sanitized
  return <div className="prose" dangerouslySetInnerHTML={{ __html: html }} />;
}
