// A list whose sizes are told after the layout of a frame, which nobody has to ask for in between.
import { elementScroll, type VirtualizerOptions } from "@tanstack/react-virtual";

type Options = VirtualizerOptions<HTMLDivElement, Element>;
type Measuring = "initialRect" | "measureElement" | "observeElementRect" | "scrollToFn";

/** What a virtual list down the page needs to suppose its sizes until they are told. */
export const measuredLater: Pick<Options, Measuring> = {
  // No list is higher than the window: the cards that may be in view are there at once.
  get initialRect() {
    return { width: 0, height: innerHeight };
  },
  measureElement: (element, entry, list) => {
    const box = entry?.borderBoxSize[0];
    if (box) return Math.round(box.blockSize);
    const at = list.indexFromElement(element);
    return list.itemSizeCache.get(list.options.getItemKey(at)) ?? list.options.estimateSize(at);
  },
  observeElementRect: (list, tell) => {
    const observer = new ResizeObserver(([entry]) => {
      const box = entry?.borderBoxSize[0];
      if (box) tell({ width: Math.round(box.inlineSize), height: Math.round(box.blockSize) });
    });
    if (list.scrollElement) observer.observe(list.scrollElement, { box: "border-box" });
    return () => observer.disconnect();
  },
  scrollToFn: (offset, options, list) => {
    // A list that has just come stands where it is sent.
    if (offset + (options.adjustments ?? 0) === (list.scrollOffset ?? 0)) return;
    elementScroll(offset, options, list);
  },
};
