//! The examples of the documents, held against what the packaged unit allows.

use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What follows `unix:` in a text, up to the end of the path.
fn sockets(text: &str) -> impl Iterator<Item = &str> {
    text.split("unix:/").skip(1).map(|rest| {
        let end = |char: char| char.is_whitespace() || matches!(char, '`' | ',' | '"' | '\\' | ')');
        rest.split(end).next().unwrap_or("")
    })
}

#[test]
fn sockets_of_examples_are_where_the_unit_can_make_them() {
    let unit = read("packaging/systemd/vpp-maglevd.service");
    let folder = unit.lines().find_map(|line| line.strip_prefix("RuntimeDirectory=")).unwrap();
    let folder = format!("run/{folder}/");
    let mut seen = 0;
    for document in [
        "README.md",
        "docs/api.md",
        "docs/cli.md",
        "docs/operations.md",
        "docs/rights.md",
        "packaging/default/vpp-maglev",
    ] {
        for socket in sockets(&read(document)) {
            // The form as such, and not an example.
            if socket == "path" {
                continue;
            }
            seen += 1;
            assert!(socket.starts_with(&folder), "{document}: unix:/{socket} is not in /{folder}");
        }
    }
    assert!(seen >= 2, "the examples are not found");
}
