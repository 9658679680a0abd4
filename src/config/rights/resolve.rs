//! Turns the raw file into rights, or into the list of all its faults.

use std::collections::BTreeMap;

use super::error::RightsError;
use super::fault::{AccountNames, RightsFault, RightsProblem};
use super::raw::RawIdentity;
use crate::config::report::ConfigPath;
use crate::domain::names::{IdentityName, is_usable};
use crate::domain::rights::{CertificateName, Rights, RightsEntry, Role, TokenDigest};

pub(super) fn resolve(
    raw: &BTreeMap<String, RawIdentity>,
    accounts: &dyn AccountNames,
) -> Result<Rights, RightsError> {
    let mut faults = Vec::new();
    let mut known = KnownIdentities::default();
    let root = ConfigPath::Root.key("rights");
    for (name, raw) in raw {
        let at = root.key(name);
        if !is_usable(name) {
            faults.push(fault(&at, RightsProblem::BadName));
        }
        let own: IdentityName = name.as_str().into();
        let identity = known.identity(&own, raw, &at, accounts, &mut faults);
        known.rights.identities.insert(own, identity);
    }
    if faults.is_empty() { Ok(known.rights) } else { Err(RightsError::Faults(faults)) }
}

fn fault(at: &ConfigPath<'_>, problem: RightsProblem) -> RightsFault {
    RightsFault { path: at.to_string(), problem }
}

/// Those that were read, none of whom may be named as another is.
#[derive(Default)]
struct KnownIdentities {
    rights: Rights,
}

impl KnownIdentities {
    fn identity(
        &self,
        own: &IdentityName,
        raw: &RawIdentity,
        at: &ConfigPath<'_>,
        accounts: &dyn AccountNames,
        faults: &mut Vec<RightsFault>,
    ) -> RightsEntry {
        let mut identity = RightsEntry::default();
        let role_at = at.key("role");
        match raw.role.as_deref().map(|word| (word, Role::from_word(word))) {
            None => faults.push(fault(&role_at, RightsProblem::NoRole)),
            Some((_, Some(role))) => identity.role = role,
            Some((word, None)) => {
                faults.push(fault(&role_at, RightsProblem::BadRole { given: word.into() }));
            }
        }
        let RawIdentity { role: _, certificates, users, groups, tokens } = raw;
        if [certificates, users, groups, tokens].iter().all(|list| list.is_empty()) {
            faults.push(fault(at, RightsProblem::NamesNobody));
        }
        let mut each = |key, list: &[String], add: &mut dyn FnMut(&str) -> Added| {
            let list_at = at.key(key);
            for (index, given) in list.iter().enumerate() {
                if let Err(problem) = add(given) {
                    faults.push(fault(&list_at.index(index), problem));
                }
            }
        };
        each("certificates", certificates, &mut |given| {
            let name = CertificateName::parse(given)
                .map_err(|error| RightsProblem::BadCertificate { given: given.into(), error })?;
            self.refuse_twice(|it| it.certificates.contains(&name))?;
            add_once(identity.certificates.insert(name), own)
        });
        each("users", users, &mut |given| {
            let number = given.parse().ok().or_else(|| accounts.user(given));
            let number = number.ok_or_else(|| RightsProblem::NoUser { given: given.into() })?;
            self.refuse_twice(|it| it.users.contains(&number))?;
            add_once(identity.users.insert(number), own)
        });
        each("groups", groups, &mut |given| {
            let number = given.parse().ok().or_else(|| accounts.group(given));
            let number = number.ok_or_else(|| RightsProblem::NoGroup { given: given.into() })?;
            self.refuse_twice(|it| it.groups.contains(&number))?;
            add_once(identity.groups.insert(number), own)
        });
        each("tokens", tokens, &mut |given| {
            let digest = TokenDigest::parse(given).map_err(RightsProblem::BadToken)?;
            self.refuse_twice(|it| it.tokens.contains(&digest))?;
            let is_new = !identity.tokens.contains(&digest);
            identity.tokens.push(digest);
            add_once(is_new, own)
        });
        identity
    }

    fn refuse_twice(&self, has: impl Fn(&RightsEntry) -> bool) -> Added {
        let other = self.rights.identities.iter().find(|(_, identity)| has(identity));
        match other {
            Some((other, _)) => Err(RightsProblem::GivenTwice { other: other.clone() }),
            None => Ok(()),
        }
    }
}

type Added = Result<(), RightsProblem>;

fn add_once(is_new: bool, own: &IdentityName) -> Added {
    if is_new { Ok(()) } else { Err(RightsProblem::GivenTwice { other: own.clone() }) }
}
