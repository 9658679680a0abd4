//! Replays the corpus of the fuzz targets: every input that ever found
//! something, and those that reach the most code, through the very oracles
//! that the fuzzer uses. CONTRIBUTING.md has how the corpus grows.
//!
//! A test program of its own: the oracles install an allocator that counts,
//! which is the whole process's.

// The targets are a crate of their own, whose items are public there.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// Fewer inputs than this are no corpus.
const FEWEST: usize = 10;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus").join(target);
    let inputs = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("no corpus in {}: {error}", folder.display()));
    let mut paths: Vec<_> = inputs.map(|input| input.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= FEWEST, "{} has only {} inputs", folder.display(), paths.len());
    let found: Vec<_> = paths
        .iter()
        .filter(|path| {
            let data = fs::read(path).unwrap();
            catch_unwind(|| check(&data)).is_err()
        })
        .collect();
    assert!(found.is_empty(), "the oracle of `{target}` disagrees on {found:#?}");
}

#[test]
fn frames_are_the_same_however_the_stream_is_cut() {
    replay("frame", targets::frame::check);
}

#[test]
fn messages_are_what_their_layout_says() {
    replay("messages", targets::messages::check);
}

#[test]
fn calls_end_once_and_with_their_own_answer() {
    replay("session", targets::session::check);
}

#[test]
fn cli_texts_give_no_value_that_is_not_there() {
    replay("cli_text", targets::cli_text::check);
}

#[test]
fn the_stats_segment_is_read_as_a_plain_reader_reads_it() {
    replay("segment", targets::segment::check);
}
