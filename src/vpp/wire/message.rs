//! What a message is: a name and a checksum that find its number in the peer's
//! table, routing fields at its head, and fields of its own.

use super::buffer::{FieldReader, FieldWriter, WireError};
use super::frame::write_frame;

/// A message's own fields: those after the id and the routing fields.
pub trait Message: Sized + std::fmt::Debug {
    /// The name in VPP's `.api` files.
    const NAME: &'static str;
    /// Checksum of the layout: another layout has another checksum.
    const CRC: u32;

    /// Appends the fields.
    fn encode(&self, to: &mut FieldWriter<'_>);

    /// Takes the fields. Bytes after them are left, as VPP leaves them.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if the body ends too early.
    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError>;

    /// `name_crc`, the key of the message table.
    #[must_use]
    fn key() -> String {
        key(Self::NAME, Self::CRC)
    }
}

/// The key of the message table for a name and a checksum.
#[must_use]
pub fn key(name: &str, crc: u32) -> String {
    format!("{name}_{crc:08x}")
}

/// A message that a client sends, with client index and context at its head.
pub trait Request: Message {
    /// What answers it: its one reply, or a row of its dump.
    type Answer: Reply;
}

/// A request without an answer of its own but 0 to n rows, with no end marker.
pub trait Dump: Request {}

/// A message that VPP sends, with the request's context at its head.
pub trait Reply: Message {
    /// VPP's return value; rows have none and give 0.
    fn retval(&self) -> i32;
}

/// Routing fields of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The client that gets the reply: VPP looks at this and not at the socket.
    pub client_index: u32,
    /// Comes back in the reply as it is.
    pub context: u32,
}

/// Appends the frame of a request.
pub fn write_request<M: Request>(out: &mut Vec<u8>, id: u16, head: RequestHead, message: &M) {
    write_frame(out, |to| {
        to.u16(id);
        to.u32(head.client_index);
        to.u32(head.context);
        message.encode(to);
    });
}

/// Appends the frame of a reply.
pub fn write_reply<M: Reply>(out: &mut Vec<u8>, id: u16, context: u32, message: &M) {
    write_frame(out, |to| {
        to.u16(id);
        to.u32(context);
        message.encode(to);
    });
}

/// Appends the frame of a message that routes itself: `sockclnt_create` and
/// its reply.
pub fn write_bare<M: Message>(out: &mut Vec<u8>, id: u16, message: &M) {
    write_frame(out, |to| {
        to.u16(id);
        message.encode(to);
    });
}

/// Takes a request apart; the id in `body` is not looked at.
///
/// # Errors
/// [`WireError::Truncated`] if the body ends too early.
pub fn read_request<M: Request>(body: &[u8]) -> Result<(RequestHead, M), WireError> {
    let mut from = FieldReader::new(body);
    from.u16()?;
    let head = RequestHead { client_index: from.u32()?, context: from.u32()? };
    Ok((head, M::decode(&mut from)?))
}

/// Takes a reply apart into its context and its fields; the id in `body` is
/// not looked at.
///
/// # Errors
/// [`WireError::Truncated`] if the body ends too early.
pub fn read_reply<M: Reply>(body: &[u8]) -> Result<(u32, M), WireError> {
    let mut from = FieldReader::new(body);
    from.u16()?;
    Ok((from.u32()?, M::decode(&mut from)?))
}

/// Takes a message apart that routes itself.
///
/// # Errors
/// [`WireError::Truncated`] if the body ends too early.
pub fn read_bare<M: Message>(body: &[u8]) -> Result<M, WireError> {
    let mut from = FieldReader::new(body);
    from.u16()?;
    M::decode(&mut from)
}

/// Defines a request that has nothing but its head.
macro_rules! empty_request {
    ($(#[$doc:meta])* $type:ident, $name:literal, $crc:literal => $answer:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $type;

        impl $crate::vpp::wire::Message for $type {
            const NAME: &'static str = $name;
            const CRC: u32 = $crc;

            fn encode(&self, _: &mut $crate::vpp::wire::FieldWriter<'_>) {}

            fn decode(
                _: &mut $crate::vpp::wire::FieldReader<'_>,
            ) -> Result<Self, $crate::vpp::wire::WireError> {
                Ok(Self)
            }
        }

        impl $crate::vpp::wire::Request for $type {
            type Answer = $answer;
        }
    };
}

/// Defines a reply that has nothing but a return value.
macro_rules! plain_reply {
    ($(#[$doc:meta])* $type:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $type {
            /// 0, or one of VPP's negative error numbers.
            pub retval: i32,
        }

        impl $crate::vpp::wire::Message for $type {
            const NAME: &'static str = $name;
            const CRC: u32 = 0xe8d4_e804;

            fn encode(&self, to: &mut $crate::vpp::wire::FieldWriter<'_>) {
                to.i32(self.retval);
            }

            fn decode(
                from: &mut $crate::vpp::wire::FieldReader<'_>,
            ) -> Result<Self, $crate::vpp::wire::WireError> {
                Ok(Self { retval: from.i32()? })
            }
        }

        impl $crate::vpp::wire::Reply for $type {
            fn retval(&self) -> i32 {
                self.retval
            }
        }
    };
}

pub(crate) use {empty_request, plain_reply};
