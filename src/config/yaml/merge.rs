//! Merge keys, by the rules of <https://yaml.org/type/merge.html>: `<<` adds the
//! entries of a mapping, or of each of a list of mappings, that the mapping does not
//! have already. So what stands beside `<<` wins, and of several sources the first.

use std::borrow::Cow;
use std::collections::HashSet;

use super::node::{YamlEntry, YamlNode, YamlScalar, YamlValue};

/// Whether a key is the merge key. In quotes it is a key like any other.
pub(super) fn is_merge_key(key: &YamlScalar<'_>) -> bool {
    key.is_plain && key.text == "<<"
}

/// Adds the entries of `source` to those of the mapping, whose keys are `seen`.
/// Returns the node that is no mapping, if there is one.
pub(super) fn merge<'n, 't>(
    source: &'n YamlNode<'t>,
    entries: &mut Vec<YamlEntry<'t>>,
    seen: &mut HashSet<Cow<'t, str>>,
) -> Result<(), &'n YamlNode<'t>> {
    let sources = match &source.value {
        YamlValue::Sequence(sources) => sources.iter().map(|it| &**it).collect(),
        YamlValue::Mapping(_) | YamlValue::Scalar(_) => vec![source],
    };
    for source in sources {
        let YamlValue::Mapping(added) = &source.value else { return Err(source) };
        let new = added.iter().filter(|entry| seen.insert(entry.key.clone()));
        entries.extend(new.cloned());
    }
    Ok(())
}
