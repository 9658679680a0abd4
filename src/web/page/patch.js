// Brings the document to what a tree says, with as few changes as it takes: an
// element stays itself as long as its key, or else its place, stays.

import { flat } from "./tree.js";

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "use", "path", "rect", "circle", "line", "g"]);
/** The properties that an element was given last. */
const given = new WeakMap();

/**
 * Makes `nodes` the children of `parent`. What has the focus keeps it, where it stays.
 *
 * @param {Element} parent
 * @param {Array} nodes as the children of `h()`
 */
export function render(parent, nodes) {
  const focused = document.activeElement;
  children(parent, flat(nodes));
  if (focused !== document.activeElement && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

function children(parent, nodes) {
  const keyed = dropOthers(parent, nodes);
  let cursor = parent.firstChild;
  for (const node of nodes) {
    const found = node.key === undefined ? unkeyed(cursor, node) : keyed?.get(node.key);
    const child = found && fits(found, node) ? found : null;
    if (child === null) {
      parent.insertBefore(create(node), cursor);
      continue;
    }
    update(child, node);
    if (child === cursor) {
      cursor = cursor.nextSibling;
    } else {
      parent.insertBefore(child, cursor);
    }
  }
  while (cursor !== null) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

/** Removes those whose key is gone; gives those that stay, by key. */
function dropOthers(parent, nodes) {
  const wanted = new Set();
  for (const node of nodes) {
    if (node.key !== undefined) {
      wanted.add(node.key);
    }
  }
  let keyed = null;
  for (let child = parent.firstChild; child !== null;) {
    const next = child.nextSibling;
    const key = given.get(child)?.key;
    if (key !== undefined) {
      if (wanted.has(key)) {
        (keyed ??= new Map()).set(key, child);
      } else {
        child.remove();
      }
    }
    child = next;
  }
  return keyed;
}

function unkeyed(cursor, node) {
  return cursor !== null && given.get(cursor)?.key === undefined ? cursor : null;
}

function fits(child, node) {
  return typeof node === "string"
    ? child.nodeType === Node.TEXT_NODE
    : child.nodeType === Node.ELEMENT_NODE && child.localName === node.tag;
}

function create(node) {
  if (typeof node === "string") {
    return document.createTextNode(node);
  }
  const element = SVG_TAGS.has(node.tag)
    ? document.createElementNS(SVG, node.tag)
    : document.createElement(node.tag);
  properties(element, node.props, {});
  children(element, node.children);
  return element;
}

function update(child, node) {
  if (typeof node === "string") {
    if (child.data !== node) {
      child.data = node;
    }
    return;
  }
  properties(child, node.props, given.get(child) ?? {});
  children(child, node.children);
}

function properties(element, props, before) {
  for (const name in before) {
    if (!(name in props)) {
      set(element, name, undefined, before[name]);
    }
  }
  for (const name in props) {
    if (props[name] !== before[name] || name === "value" || name === "checked") {
      set(element, name, props[name], before[name]);
    }
  }
  given.set(element, props);
}

function set(element, name, value, before) {
  if (name === "key") {
    return;
  }
  if (name === "style") {
    style(element, value ?? {}, before ?? {});
  } else if (name.startsWith("on")) {
    element[name] = value ?? null;
  } else if (name === "value" || name === "checked") {
    if (element[name] !== value && element !== document.activeElement) {
      element[name] = value ?? "";
    }
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function style(element, wanted, before) {
  for (const name in before) {
    if (!(name in wanted)) {
      element.style.removeProperty(name);
    }
  }
  for (const name in wanted) {
    if (wanted[name] !== before[name]) {
      element.style.setProperty(name, wanted[name]);
    }
  }
}
