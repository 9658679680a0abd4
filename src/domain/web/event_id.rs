//! Numbers of what tabs are sent, as the `Last-Event-ID` of a stream carries them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// One frame of one life of the server: `5f3a09c2b1d4e677-42`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// Another one after a restart.
    pub epoch: u64,
    /// Rises by one with each frame; 0: before the first.
    pub seq: u64,
}

/// The text is no event id of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an event id: take it from the state, or leave it out")]
pub struct EventIdError;

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.seq)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (epoch, seq) = text.split_once('-').ok_or(EventIdError)?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if epoch.len() != 16 || !is_plain(epoch) || !is_plain(seq) {
            return Err(EventIdError);
        }
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| EventIdError)?;
        Ok(Self { epoch, seq: seq.parse().map_err(|_| EventIdError)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is() {
        let id = EventId { epoch: 0xfeed, seq: 42 };
        assert_eq!(id.to_string(), "000000000000feed-42");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in
            ["", "-", "feed-42", "000000000000feed", "000000000000feed-", "+00000000000feed-1"]
        {
            assert_eq!(text.parse::<EventId>(), Err(EventIdError), "{text}");
        }
        for text in ["000000000000feed-+1", "000000000000feed-18446744073709551616"] {
            assert_eq!(text.parse::<EventId>(), Err(EventIdError), "{text}");
        }
    }
}
