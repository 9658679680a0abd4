// Frontends and backends of all daemons by name, a row each, the worst first.

import { isAway, judgeBackend, judgeFrontend, LEVELS, servingOf } from "./judge.js";

const RANK = { ...Object.fromEntries(LEVELS.map((level, rank) => [level, rank])), old: 1.5 };
/** From so many changed rows on the whole list is sorted anew. */
const MANY = 64;

const KINDS = {
  frontend: { objects: "frontends", judge: judgeFrontend, describe: describeFrontend },
  backend: { objects: "backends", judge: judgeBackend, describe: describeBackend },
};

/** All rows of one kind, in order. */
export class Rows {
  constructor(kind) {
    this.kind = kind;
    this.byName = new Map();
    this.list = [];
    this.counts = { fault: 0, warn: 0, held: 0, old: 0, ok: 0 };
    /** Rises with every change, so that what is made of the list can be kept. */
    this.version = 0;
  }

  /** Makes every row anew. */
  rebuild(daemons) {
    const names = new Set();
    for (const daemon of daemons.values()) {
      for (const name of daemon[KINDS[this.kind].objects].keys()) {
        names.add(name);
      }
    }
    this.byName.clear();
    naturally(names).forEach((name, order) => this.byName.set(name, row(this.kind, name, daemons, order)));
    this.#sort();
  }

  /** Makes the rows of these names anew. */
  update(daemons, names) {
    if (names.size === 0) {
      return;
    }
    const many = names.size > MANY;
    for (const name of names) {
      const before = this.byName.get(name);
      const after = row(this.kind, name, daemons, before?.order);
      if (before === undefined || after === null) {
        // Names come and go with a reload: rare.
        this.rebuild(daemons);
        return;
      }
      this.byName.set(name, after);
      if (!many) {
        this.#move(before, after);
      }
    }
    if (many) {
      this.#sort();
    }
    this.version += 1;
  }

  #sort() {
    this.list = [...this.byName.values()].sort(inOrder);
    this.counts = { fault: 0, warn: 0, held: 0, old: 0, ok: 0 };
    for (const { level } of this.list) {
      this.counts[level] += 1;
    }
    this.version += 1;
  }

  #move(before, after) {
    this.counts[before.level] -= 1;
    this.counts[after.level] += 1;
    const from = place(this.list, before);
    if (inOrder(before, after) === 0) {
      this.list[from] = after;
      return;
    }
    this.list.splice(from, 1);
    this.list.splice(place(this.list, after), 0, after);
  }
}

/** Names in the order in which people look for them: web2 before web10, and capitals as small letters. */
function naturally(names) {
  // A number goes by its length first. A text for each name compares far faster than a collator.
  const key = (name) =>
    name.toLowerCase().replace(/0*(\d+)/g, (_, digits) => String.fromCharCode(48 + digits.length) + digits);
  return [...names]
    .map((name) => [key(name), name])
    .sort(([a, one], [b, other]) => (a < b ? -1 : a > b ? 1 : one < other ? -1 : 1))
    .map(([, name]) => name);
}

function inOrder(a, b) {
  return RANK[a.level] - RANK[b.level] || a.order - b.order;
}

/** Where a row is in a sorted list, or would be. */
function place(list, wanted) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inOrder(list[middle], wanted) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** One row; null where no daemon has the name. */
function row(kind, name, daemons, order = 0) {
  const { objects, judge, describe } = KINDS[kind];
  const at = [];
  let worst = null;
  for (const daemon of daemons.values()) {
    const object = daemon[objects].get(name);
    if (object === undefined) {
      continue;
    }
    const judgement = judge(object);
    const old = isAway(daemon);
    const entry = { daemon: daemon.name, ...judgement, level: old ? "old" : judgement.level, object };
    at.push(entry);
    // What is old says nothing while another daemon knows better.
    if (worst === null || (!old && (worst.level === "old" || RANK[entry.level] < RANK[worst.level]))) {
      worst = entry;
    }
  }
  if (worst === null) {
    return null;
  }
  const { level, word, reason, since, object } = worst;
  return { kind, name, order, level, word, reason, since, at, where: where(at, worst), ...describe(object) };
}

/** Which daemons the reason is true of: empty where it is of all that have it and are known. */
function where(at, worst) {
  const known = at.filter(({ level }) => level !== "old");
  const same = known.filter(({ level, word }) => level === worst.level && word === worst.word);
  return same.length === known.length ? [] : same.map(({ daemon }) => daemon);
}

function describeFrontend(frontend) {
  const { serving, total } = servingOf(frontend);
  const service = frontend.protocol === null ? "every port" : `${frontend.protocol}/${frontend.port}`;
  const { address, description, serving_pool: pool } = frontend;
  return {
    address,
    service,
    description,
    pool,
    serving,
    total,
    text: `${frontend.name} ${address} ${service} ${description ?? ""}`.toLowerCase(),
  };
}

function describeBackend(backend) {
  const { address, dns_name: dnsName, healthcheck, last_result: result } = backend;
  return {
    address,
    dnsName,
    healthcheck,
    result,
    text: `${backend.name} ${address ?? ""} ${dnsName ?? ""}`.toLowerCase(),
  };
}

/** The rows that a search lets through: every word has to be in name, address, state or reason. */
export function matching(list, query) {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) {
    return list;
  }
  return list.filter((row) =>
    words.every(
      (word) =>
        row.text.includes(word) || row.word.includes(word) || row.reason?.toLowerCase().includes(word),
    ),
  );
}
