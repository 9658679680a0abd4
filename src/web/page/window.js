// Which rows of a long list are to be in the document: those that can be seen, and
// some beyond, so that scrolling finds them there.

/** Rows beyond either edge. */
const MORE = 8;

/**
 * @param {{top: number, height: number, rowHeight: number, count: number}} view
 *   `top`: of the list below the upper edge of what is seen, negative once it is
 *   scrolled past it; `height`: of what is seen; all in pixels
 * @returns {{first: number, end: number, before: number, after: number}} rows
 *   `first..end`, and the pixels that stand for those before and after them
 */
export function visible({ top, height, rowHeight, count }) {
  const clamp = (row) => Math.min(count, Math.max(0, row));
  const first = clamp(Math.floor(-top / rowHeight) - MORE);
  const end = clamp(Math.ceil((height - top) / rowHeight) + MORE);
  return { first, end, before: first * rowHeight, after: (count - end) * rowHeight };
}
