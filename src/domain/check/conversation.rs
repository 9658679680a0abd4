//! The steps of a conversation with a server.

/// A step of a conversation with a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CheckStep {
    Send(Payload),
    /// To be found in what has come since the last that was sent.
    Expect(Expectation),
}

/// What is sent, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    Text(String),
    Bytes(Vec<u8>),
}

impl Payload {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// A valid regular expression.
    Pattern(String),
    Bytes(Vec<u8>),
}
