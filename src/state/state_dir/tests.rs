//! The directory: claims, files that are set aside, and what is left after a failure.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Instant, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

const SAMPLE: &str = include_str!("../../../tests/data/state/overrides.json");

fn now() -> Moment {
    Moment { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_stored_is_there_for_the_next_and_for_one_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    let mut dir = StateDir::claim(&path).unwrap();
    let found = dir.load(now());
    assert!(found.overrides.is_empty() && found.set_aside.is_none());
    let overrides = decode(SAMPLE.as_bytes(), now()).unwrap();
    dir.store(&overrides).unwrap();
    assert_eq!(names(&path), [FILE_NAME]);
    assert_eq!(std::fs::read_to_string(dir.file()).unwrap(), SAMPLE);
    let mode = dir.file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "others may not read it: {mode:o}");
    let in_use = StateDir::claim(&path).unwrap_err();
    assert!(matches!(in_use, StateDirError::InUse { .. }), "{in_use}");
    drop(dir);
    let found = StateDir::claim(&path).unwrap().load(now());
    assert_eq!(found.overrides.entries().count(), 2);
}

#[test]
fn a_file_that_cannot_be_used_is_set_aside_and_overwrites_none() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path();
    let file = path.join(FILE_NAME);
    let break_it: [&dyn Fn(); 6] = [
        &|| std::fs::write(&file, &SAMPLE[..100]).unwrap(),
        &|| std::fs::write(&file, "").unwrap(),
        &|| std::fs::write(&file, SAMPLE.replace("\"version\": 1", "\"version\": 9")).unwrap(),
        &|| std::fs::create_dir(&file).unwrap(),
        &|| mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
        &|| symlink("nowhere", &file).unwrap(),
    ];
    for (number, break_it) in (1..).zip(break_it) {
        break_it();
        let mut dir = StateDir::claim(path).unwrap();
        let found = dir.load(now());
        assert!(found.overrides.is_empty());
        let set_aside = found.set_aside.unwrap();
        let aside = path.join(format!("{FILE_NAME}.aside-{number}"));
        assert_eq!(set_aside.to.unwrap(), aside);
        assert!(aside.symlink_metadata().is_ok() && file.symlink_metadata().is_err());
        dir.store(&OverrideSet::default()).unwrap();
        std::fs::remove_file(&file).unwrap();
    }
    let first = std::fs::read(path.join(format!("{FILE_NAME}.aside-1"))).unwrap();
    assert_eq!(first, SAMPLE.as_bytes()[..100]);
}

#[test]
fn what_cannot_be_set_aside_stays_in_its_place_and_nothing_is_stored() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path();
    for number in 1..=ASIDE {
        std::fs::write(path.join(format!("{FILE_NAME}.aside-{number}")), "").unwrap();
    }
    std::fs::write(path.join(FILE_NAME), "another's").unwrap();
    let mut dir = StateDir::claim(path).unwrap();
    let found = dir.load(now());
    let why = found.set_aside.unwrap().to.unwrap_err();
    assert!(found.overrides.is_empty() && why.kind() == ErrorKind::AlreadyExists, "{why}");
    let error = dir.store(&decode(SAMPLE.as_bytes(), now()).unwrap()).unwrap_err().to_string();
    assert!(error.contains("cannot be set aside") && error.contains("too many files"), "{error}");
    assert_eq!(std::fs::read_to_string(dir.file()).unwrap(), "another's");
}

#[test]
fn what_a_killed_daemon_was_writing_is_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path();
    std::fs::write(path.join(FILE_NAME), SAMPLE).unwrap();
    let target = path.join("another's");
    std::fs::write(&target, "another's").unwrap();
    // Half a text, or a link that leads to what is not ours.
    let left: [&dyn Fn(&Path); 2] =
        [&|new| std::fs::write(new, "{").unwrap(), &|new| symlink(&target, new).unwrap()];
    for leave in left {
        leave(&path.join(NEW_NAME));
        let mut dir = StateDir::claim(path).unwrap();
        let found = dir.load(now()).overrides;
        assert_eq!(found.entries().count(), 2);
        dir.store(&found).unwrap();
        assert_eq!(names(path), ["another's", FILE_NAME]);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "another's");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_said_with_the_remedy() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = StateDir::claim(&file).unwrap_err().to_string();
    assert!(error.contains("file: ") && error.contains("--state-dir"), "{error}");
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("state");
    let mut dir = StateDir::claim(&path).unwrap();
    let overrides = decode(SAMPLE.as_bytes(), now()).unwrap();
    dir.store(&overrides).unwrap();
    // A directory cannot be replaced by a file, whoever is asked.
    std::fs::create_dir(path.join(NEW_NAME)).unwrap();
    let error = dir.store(&OverrideSet::default()).unwrap_err();
    assert!(!error.is_in_doubt);
    assert!(error.to_string().ends_with("; nothing has changed"), "{error}");
    assert_eq!(dir.load(now()).overrides.entries().count(), 2);
}
