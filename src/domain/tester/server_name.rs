//! Which of the expected servers an answer names.

/// The longest name of a server that is kept; what is longer is cut.
pub const MAX_NAME: usize = 128;

/// A server that may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// The backend's.
    pub name: String,
    /// As the daemon or the file has it, if it is known.
    pub address: Option<String>,
}

/// The place of the server that `answer` names: it is its name or address, or has
/// exactly one name as a word, as `ok from nginx0` and `nginx0.example.org` do.
#[must_use]
pub fn named(answer: &str, servers: &[KnownServer]) -> Option<usize> {
    let is = |server: &KnownServer| {
        server.name == answer || server.address.as_deref().is_some_and(|known| known == answer)
    };
    servers.iter().position(is).or_else(|| {
        let words = |server: &KnownServer| {
            has_word(answer, &server.name)
                || server.address.as_deref().is_some_and(|known| has_word(answer, known))
        };
        let mut found = (0..servers.len()).filter(|place| words(&servers[*place]));
        found.next().filter(|_| found.next().is_none())
    })
}

/// Whether `word` stands in `text` with no letter, digit, `-` or `_` beside it.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + word.len()..].chars().next();
            !before.is_some_and(joins) && !behind.is_some_and(joins)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_one_server_or_none() {
        let server = |name: &str, address: Option<&str>| KnownServer {
            name: name.into(),
            address: address.map(str::to_owned),
        };
        let servers = [
            server("web", Some("192.0.2.1")),
            server("web-1", Some("2001:db8::1")),
            server("web-10", None),
        ];
        for (answer, expected) in [
            ("web", Some(0)),
            ("web-1", Some(1)),
            ("ok from web-1!", Some(1)),
            ("web-10.example.org", Some(2)),
            ("192.0.2.1", Some(0)),
            ("server 2001:db8::1", Some(1)),
            ("192.0.2.11", None),
            ("web-100", None),
            ("web or web-10", None),
            ("<!DOCTYPE html>", None),
            ("", None),
        ] {
            assert_eq!(named(answer, &servers), expected, "{answer}");
        }
    }
}
