// What a part of the page should be: a tree of plain values, which patch.js brings
// the document to. Text is put in as text; nothing is ever parsed as markup.

/**
 * An element. `props` are attributes, but for
 * - `key`: which of its siblings it stays over changes,
 * - `on…`: handlers of events, `style`: an object of CSS properties,
 * - `value` and `checked`: of fields, set where they differ and nobody types.
 *
 * @param {string} tag
 * @param {Object} [props]
 * @param {...*} children elements, texts, numbers, lists of them; null and false: none
 * @returns {{tag: string, props: Object, key: *, children: Array}}
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flat(children) };
}

/** Elements and texts of a list that may hold lists, and nothing in places. */
export function flat(children, list = []) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === true) {
      continue;
    }
    if (Array.isArray(child)) {
      flat(child, list);
    } else {
      list.push(typeof child === "object" ? child : String(child));
    }
  }
  return list;
}
