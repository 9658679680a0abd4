//! Names and numbers of users and groups, as passwd(5) and group(5) have them.

/// The name of a group; its number if it has none.
#[must_use]
pub fn group_name(gid: u32) -> String {
    name("/etc/group", gid)
}

/// The name of a user; its number if it has none.
#[must_use]
pub fn user_name(uid: u32) -> String {
    name("/etc/passwd", uid)
}

/// The number of the group with this name.
#[must_use]
pub fn group_number(name: &str) -> Option<u32> {
    number_in(&std::fs::read_to_string("/etc/group").ok()?, name)
}

/// The number of the user with this name.
#[must_use]
pub fn user_number(name: &str) -> Option<u32> {
    number_in(&std::fs::read_to_string("/etc/passwd").ok()?, name)
}

fn name(file: &str, id: u32) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    name_in(&text, id).unwrap_or_else(|| id.to_string())
}

/// The name beside this number, which is the third field of both files.
fn name_in(text: &str, id: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

fn number_in(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_name() {
        let groups = "root:x:0:\nvpp:x:104:alice,bob\nbad line\n";
        assert_eq!(name_in(groups, 104).as_deref(), Some("vpp"));
        assert_eq!(name_in(groups, 7), None);
        assert_eq!(number_in(groups, "vpp"), Some(104));
        assert_eq!(number_in(groups, "alice"), None);
        assert_eq!(name_in("maglev:x:998:997::/:/sbin/nologin\n", 998).as_deref(), Some("maglev"));
    }
}
