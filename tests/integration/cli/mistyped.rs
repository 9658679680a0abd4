//! A hundred commands as a new user mistypes them: each error names the word
//! that is wrong and what was possible in its place.

use vpp_maglev::cli::command::grammar::GrammarToken;
use vpp_maglev::cli::command::parse::{ParseError, parse, suggestions};

/// Every command, as it is meant.
const MEANT: &[&str] = &[
    "show version",
    "show frontends",
    "show frontend web if backend nginx0 weight 50",
    "show backends",
    "show backend nginx0",
    "show healthchecks",
    "show healthcheck http",
    "show vpp info",
    "show vpp lb state",
    "show vpp lb counters",
    "set backend nginx0 pause",
    "set backend nginx0 resume",
    "set backend nginx0 enable",
    "set backend nginx0 disable",
    "set frontend web pool primary backend nginx0 weight 50",
    "set backend nginx0 pause for 2h",
    "set backend nginx0 disable because upgrade for 1d12h",
    "unset backend nginx0",
    "unset frontend web pool primary backend nginx0",
    "show overrides",
    "sync vpp lb state",
    "sync vpp lb state web dry-run",
    "config check",
    "sync vpp lb state force",
    "config reload",
    "config reload force",
    "completions bash",
    "watch state",
    "watch events",
    "watch events num 3",
    "watch events num 3 log level warn backend frontend dataplane",
    "help",
    "quit",
];

/// How many mistakes are looked at.
const MISTAKES: usize = 100;

/// One slip of the fingers or of the mind, anywhere in the command.
fn mistyped(meant: &str, chance: &mut fastrand::Rng) -> Vec<String> {
    let mut words: Vec<String> = meant.split(' ').map(str::to_owned).collect();
    // The last word is as likely as the others together: numbers are there.
    let place = if chance.bool() { words.len() - 1 } else { chance.usize(..words.len()) };
    let mut letters: Vec<char> = words[place].chars().collect();
    let at = chance.usize(..letters.len());
    match chance.u8(..8) {
        0 if letters.len() > 1 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 if at > 0 => letters.swap(at - 1, at),
        3 => letters[at] = chance.lowercase(),
        4 => letters.truncate(at.max(1)),
        5 => {
            words.remove(place);
            return words;
        }
        6 => {
            let other = chance.choice(MEANT).unwrap().split(' ').next().unwrap();
            words.insert(place, other.to_owned());
            return words;
        }
        _ => {
            let twice = words[place].clone();
            words.insert(place, twice);
            return words;
        }
    }
    words[place] = letters.into_iter().collect();
    words
}

/// Where the words stop being the beginning of any command.
fn understood(words: &[String]) -> usize {
    (0..=words.len()).rev().find(|end| suggestions(&words[..*end], "").is_ok()).unwrap()
}

#[test]
fn a_hundred_mistakes_are_each_told_with_the_word_and_what_was_possible() {
    let mut chance = fastrand::Rng::with_seed(3);
    let mut errors: Vec<ParseError> = Vec::new();
    let mut kinds = [false; 4];
    // A hundred, and until there are mistakes of every kind.
    while errors.len() < MISTAKES || kinds != [true; 4] {
        let meant = chance.choice(MEANT).unwrap();
        let words = mistyped(meant, &mut chance);
        // Some slips make another command, or a name that only the daemon can judge.
        let Err(error) = parse(&words) else { continue };
        check(&words, &error);
        kinds[match error {
            ParseError::Unknown { .. } => 0,
            ParseError::Ambiguous { .. } => 1,
            ParseError::BadValue { .. } => 2,
            ParseError::Incomplete { .. } | ParseError::Empty { .. } => 3,
        }] = true;
        errors.push(error);
    }
    let guessed = errors.iter().filter(|error| error.to_string().contains("did you mean")).count();
    assert!(guessed > 10, "{guessed}");
}

fn check(words: &[String], error: &ParseError) {
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    let good = understood(words);
    let possible = suggestions(&words[..good], "").unwrap();
    match words.get(good) {
        Some(wrong) => {
            assert!(message.starts_with(&format!("`{wrong}` is ")), "{words:?}: {message}");
        }
        None if words.is_empty() => assert!(message.starts_with("no command given"), "{message}"),
        None => assert!(message.contains("` is not complete; possible next: "), "{message}"),
    }
    for offer in &possible {
        let named = match offer.token {
            // Of an ambiguous word, only those that it could be.
            GrammarToken::Word(word)
            | GrammarToken::Alias(word)
            | GrammarToken::Yielding(word)
            | GrammarToken::Whole(word) => {
                let ambiguous = matches!(error, ParseError::Ambiguous { .. });
                let could = words.get(good).is_none_or(|wrong| word.starts_with(wrong.as_str()));
                message.contains(word) || ambiguous && !could
            }
            GrammarToken::Slot(slot) => {
                message.contains(slot.placeholder()) || message.contains(slot.expected())
            }
        };
        assert!(named, "{words:?}: {offer:?} is not in: {message}");
    }
    assert_eq!(possible.is_empty(), message.contains("nothing can follow there"), "{message}");
}
