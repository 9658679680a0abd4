//! A YAML document as a tree of values, each with its place in the text.

use std::borrow::Cow;
use std::rc::Rc;

use super::scalar;

/// Both are counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value. Aliases and merge keys share it.
#[derive(Debug)]
pub(super) struct YamlNode<'t> {
    pub(super) place: Place,
    pub(super) value: YamlValue<'t>,
    /// Levels of values, this one included.
    pub(super) depth: usize,
    /// Values in it, this one included. One that is shared counts each time.
    pub(super) size: usize,
}

#[derive(Debug)]
pub(super) enum YamlValue<'t> {
    Scalar(YamlScalar<'t>),
    Sequence(Vec<Rc<YamlNode<'t>>>),
    Mapping(Vec<YamlEntry<'t>>),
}

#[derive(Debug)]
pub(super) struct YamlScalar<'t> {
    pub(super) text: Cow<'t, str>,
    /// Without quotes: it may be a number, a boolean or null.
    pub(super) is_plain: bool,
}

#[derive(Clone, Debug)]
pub(super) struct YamlEntry<'t> {
    pub(super) key: Cow<'t, str>,
    /// That of the key.
    pub(super) place: Place,
    pub(super) value: Rc<YamlNode<'t>>,
}

impl<'t> YamlNode<'t> {
    pub(super) fn new(place: Place, value: YamlValue<'t>) -> Self {
        let (mut depth, mut size) = (0, 0_usize);
        let mut add = |child: &Self| {
            depth = depth.max(child.depth);
            size = size.saturating_add(child.size);
        };
        match &value {
            YamlValue::Scalar(_) => {}
            YamlValue::Sequence(items) => items.iter().for_each(|item| add(item)),
            YamlValue::Mapping(entries) => entries.iter().for_each(|entry| add(&entry.value)),
        }
        Self { place, value, depth: depth + 1, size: size.saturating_add(1) }
    }

    /// Nothing, `~` or `null`.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.value, YamlValue::Scalar(it) if it.is_plain && scalar::is_null(&it.text))
    }
}
