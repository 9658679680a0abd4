//! What the fuzz targets check. Every module has one `check`, which takes any
//! bytes and panics when its oracle disagrees with `vpp_maglev`.
//!
//! `tests/fuzz_corpus.rs` includes these files too and replays the corpus
//! through the same oracles with every `make test`.

pub mod allocation;
pub mod cli_text;
pub mod frame;
pub mod input;
pub mod messages;
pub mod segment;
pub mod session;
