// Moments, spans and numbers as the page writes them.

const SECOND = 1000;
const UNITS = [
  ["d", 86_400 * SECOND],
  ["h", 3600 * SECOND],
  ["m", 60 * SECOND],
  ["s", SECOND],
];
const NUMBER = new Intl.NumberFormat("en");
const LOCAL_ZONE = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** Milliseconds of a moment by RFC 3339; null where it is not known. */
export function moment(text) {
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}

/** A span of milliseconds in its two largest units: `5m3s`, `3d4h`, `0s`. */
export function span(milliseconds) {
  let left = Math.max(0, Math.floor(milliseconds / SECOND) * SECOND);
  const first = UNITS.findIndex(([, unit]) => left >= unit);
  if (first < 0) {
    return "0s";
  }
  let text = "";
  for (const [letter, unit] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    text += count > 0 ? `${count}${letter}` : "";
  }
  return text;
}

/** A span of nanoseconds as a probe takes it: `1.2 ms`, `340 µs`, `2.5 s`. */
export function shortSpan(nanoseconds) {
  if (nanoseconds < 1e6) {
    return `${Math.round(nanoseconds / 1e3)} µs`;
  }
  if (nanoseconds < 1e9) {
    return `${(nanoseconds / 1e6).toFixed(nanoseconds < 1e7 ? 1 : 0)} ms`;
  }
  return `${(nanoseconds / 1e9).toFixed(1)} s`;
}

/** The time of day, by UTC or by this machine's clock: `12:03:04`. */
export function time(at, local) {
  return at === null ? "–" : parts(at, local).time;
}

/** Date and time with its zone: `2026-11-28 12:03:04 UTC`. */
export function dateTime(at, local) {
  if (at === null) {
    return "not known";
  }
  const { date, time: clock } = parts(at, local);
  return `${date} ${clock} ${zone(local, at)}`;
}

/** The time of day with its zone, and the date where it is not today's. */
export function shortDateTime(at, now, local) {
  if (at === null) {
    return "not known";
  }
  const { date, time: clock } = parts(at, local);
  return date === parts(now, local).date ? clock : `${date} ${clock}`;
}

/** `UTC`, or this machine's zone: `GMT+1`. */
export function zone(local, at = Date.now()) {
  if (!local) {
    return "UTC";
  }
  const found = LOCAL_ZONE.formatToParts(at).find((part) => part.type === "timeZoneName");
  return found?.value ?? "local";
}

function parts(at, local) {
  const date = new Date(at);
  const text = local
    ? new Date(at - date.getTimezoneOffset() * 60 * SECOND).toISOString()
    : date.toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}

/** A whole number in groups of three digits. */
export function count(number) {
  return NUMBER.format(number);
}

/** A number and its word: `1 frontend`, `2 frontends`. */
export function counted(number, word, plural = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : plural}`;
}

/** A share of 0 to 1: `39.8 %`; null where it is not known. */
export function percent(share) {
  return share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
}

/** So many in a second: `0`, `3.4`, `950`, `12.5 k`, `3.1 M`. */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) {
    return "–";
  }
  if (perSecond < 10) {
    return perSecond === 0 ? "0" : perSecond.toFixed(1);
  }
  if (perSecond < 1e4) {
    return String(Math.round(perSecond));
  }
  return perSecond < 1e6 ? `${(perSecond / 1e3).toFixed(1)} k` : `${(perSecond / 1e6).toFixed(1)} M`;
}

/** Names in a list: `a`, `a and b`, `a, b and 3 more`. */
export function listed(names, most = 3) {
  if (names.length > most) {
    const shown = names.slice(0, most - 1);
    return `${shown.join(", ")} and ${names.length - shown.length} more`;
  }
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What `for` of a command takes (`90s`, `2h`, `1d12h`), in nanoseconds; null: it is none. */
export function parseSpan(text) {
  const trimmed = text.trim();
  if (!/^(\d+[dhms])+$/.test(trimmed)) {
    return null;
  }
  let total = 0;
  for (const [, number, letter] of trimmed.matchAll(/(\d+)([dhms])/g)) {
    total += Number(number) * UNITS.find(([unit]) => unit === letter)[1];
  }
  return total > 0 ? total * 1e6 : null;
}
