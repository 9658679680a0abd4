// Calls of the server. All addresses are relative: the page may live below a path.

import { takeEarly } from "./early.js";

/** What went wrong with a call, for people. */
export class ApiError extends Error {
  /**
   * @param {string} code one of the server's, or `offline`
   * @param {string} message what happened
   * @param {string|null} remedy what to do
   */
  constructor(code, message, remedy = null) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** The token of the session; each POST but the login carries it. */
let token = null;

/** Asks for the session, and keeps its token. */
export async function readSession() {
  return keep(await get("session"));
}

/** Logs in. */
export async function login(name, password) {
  return keep(await post("login", { name, password }));
}

/** Logs out. */
export async function logout() {
  return keep(await post("logout", {}));
}

function keep(session) {
  token = session.token;
  return session;
}

/** The answer to a GET of `./api/PATH`. */
export function get(path, signal) {
  return call(path, { signal });
}

/** The answer to a POST. One whose token was refused is sent once more with a new one. */
export async function post(path, body) {
  try {
    return await send(path, body);
  } catch (error) {
    if (error.code !== "forged" || path === "login") {
      throw error;
    }
    await readSession();
    return send(path, body);
  }
}

function send(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token !== null) {
    headers["X-Maglev-Token"] = token;
  }
  return call(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function call(path, options) {
  let response;
  try {
    response =
      (await takeEarly(path)) ?? (await fetch(`./api/${path}`, { credentials: "same-origin", ...options }));
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new ApiError("offline", "maglev-web cannot be reached", "see whether it runs, and the way to it");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) {
    return answer;
  }
  const {
    code = "internal",
    message = `maglev-web answered ${response.status}`,
    remedy = null,
  } = answer?.error ?? {};
  const after = response.headers.get("Retry-After");
  throw new ApiError(code, message, remedy ?? (after === null ? null : `try again in ${after} s`));
}

/** The path of a daemon's object: `daemons/lb1/backends/web%201`. */
export function daemonPath(daemon, ...rest) {
  return ["daemons", daemon, ...rest].map(encodeURIComponent).join("/");
}
