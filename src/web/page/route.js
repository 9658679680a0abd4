// Which view is shown, as it stands in the address: `#/backend/web1?daemon=lb1`.

const VIEWS = new Set(["overview", "frontend", "backend", "timeline", "vpp"]);

/**
 * Reads a fragment. What is no view of ours is the overview.
 *
 * @param {string} hash with or without its `#`
 * @returns {{view: string, name: string|null, query: URLSearchParams}}
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [view = "", name = ""] = path.split("/", 2);
  const known = VIEWS.has(view) ? view : "overview";
  return { view: known, name: name === "" ? null : decoded(name), query: new URLSearchParams(query) };
}

/** The fragment of a view; absent and empty parameters are left out. */
export function routeTo(view, name = null, params = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") {
        query.append(key, one);
      }
    }
  }
  const path = view === "overview" ? "" : name === null ? view : `${view}/${encodeURIComponent(name)}`;
  return `#/${path}${query.size > 0 ? `?${query}` : ""}`;
}

function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
