// Lists that go along the text: to the right, or in some languages to the left.
import { elementScroll, type VirtualizerOptions } from "@tanstack/react-virtual";
import { isRightToLeft } from "../text/index.js";

type Options = VirtualizerOptions<HTMLDivElement, Element>;

/** What a virtual list needs to go along the text. */
export function sideways(): Pick<Options, "horizontal" | "isRtl" | "scrollToFn"> {
  const isRtl = isRightToLeft();
  // Browsers count what is scrolled to the left below zero; the list counts it above.
  const scrollToFn: Options["scrollToFn"] = (offset, { adjustments = 0, behavior }, list) => {
    const to = offset + adjustments;
    elementScroll(isRtl ? -to : to, { ...(behavior && { behavior }) }, list);
  };
  return { horizontal: true, isRtl, scrollToFn };
}
