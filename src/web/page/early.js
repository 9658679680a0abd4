// Asks for what the page begins with while its other modules are on their way.

/** Answers of `./api/…`, of which each is taken once; null: it did not come. */
const answers = new Map();

const ask = (path) => fetch(`./api/${path}`, { credentials: "same-origin" }).catch(() => null);

const session = ask("session");
answers.set("session", session);
answers.set(
  "state",
  session.then(async (answer) => {
    const known = await answer
      ?.clone()
      .json()
      .catch(() => null);
    const mayLook = known && (known.login !== "required" || known.user !== null);
    return mayLook ? ask("state") : null;
  }),
);

/** The answer that was asked for before the page ran; null: there is none, or it was taken. */
export function takeEarly(path) {
  const answer = answers.get(path) ?? null;
  answers.delete(path);
  return answer;
}
