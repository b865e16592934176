import { at } from "../base.js";
import { follow } from "../route.js";
import { t } from "../text/index.js";

/** The way from a page to the list of boards, before the title of the page. */
export function Back() {
  return (
    <>
      <a href={at("/")} className="back" onClick={(event) => follow(event, "/")}>
        {t.boards}
      </a>
      <span className="slash" aria-hidden="true">
        /
      </span>
    </>
  );
}
