//! The query of a URL.

/// Its keys and values, in order. A key may stand in it several times.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Of the text behind the question mark.
    pub(super) fn of(text: Option<&str>) -> Self {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        };
        Self(pairs.map(pair).collect())
    }

    /// The first value of a key that is not empty.
    pub(super) fn one(&self, key: &str) -> Option<&str> {
        self.all(key).find(|value| !value.is_empty())
    }

    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// As forms encode it: `+` is a space, `%2F` a slash.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_repeat_and_values_are_decoded() {
        let query = Query::of(Some("daemon=a&daemon=unix%3A%2Frun%2fx&&q=a+b%zz%4&empty=&flag"));
        assert_eq!(query.all("daemon").collect::<Vec<_>>(), ["a", "unix:/run/x"]);
        assert_eq!(query.one("q"), Some("a b%zz%4"));
        assert_eq!((query.one("empty"), query.one("flag"), query.one("x")), (None, None, None));
        assert_eq!(Query::of(None).one("x"), None);
        assert_eq!(Query::of(Some("a=%ff%+1")).one("a"), Some("\u{fffd}% 1"));
    }
}
