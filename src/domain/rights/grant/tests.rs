//! A table of who is taken for whom, and the law that nobody gets more than a rule says.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;

fn digest(byte: u8) -> TokenDigest {
    TokenDigest::new([byte; 32])
}

fn cn(name: &str) -> CertificateName {
    CertificateName::Common(name.into())
}

fn rights(identities: &[(&str, RightsEntry)]) -> Rights {
    let identities = identities.iter().cloned();
    Rights { identities: identities.map(|(name, it)| (name.into(), it)).collect() }
}

/// Two people by each kind of proof, one of them an operator and one with nothing.
fn house() -> Rights {
    let of = |role| RightsEntry { role, ..RightsEntry::default() };
    let (up, down) = (Role::Operator, Role::Nobody);
    rights(&[
        ("token-up", RightsEntry { tokens: vec![digest(1), digest(3)], ..of(up) }),
        ("token-down", RightsEntry { tokens: vec![digest(2)], ..of(down) }),
        ("cert-up", RightsEntry { certificates: [cn("alice")].into(), ..of(up) }),
        (
            "cert-down",
            RightsEntry { certificates: [CertificateName::dns("bob.example")].into(), ..of(down) },
        ),
        ("user-up", RightsEntry { users: [1000].into(), ..of(up) }),
        ("user-down", RightsEntry { users: [1001].into(), ..of(down) }),
        ("group-up", RightsEntry { groups: [50].into(), ..of(up) }),
        ("group-down", RightsEntry { groups: [60].into(), ..of(down) }),
        ("group-view", RightsEntry { groups: [70].into(), ..of(Role::Viewer) }),
    ])
}

#[test]
fn whoever_is_named_has_that_role_and_everybody_else_the_listeners() {
    let house = house();
    let (alice, bob) = ([cn("alice")], [CertificateName::dns("bob.example")]);
    let both = [alice[0].clone(), bob[0].clone()];
    let stranger = [CertificateName::Uri("alice".into()), cn("ALICE"), cn("bob.example")];
    let (one, two, three) = (digest(1), digest(2), digest(3));
    let nothing = Credentials::default();
    let cases = [
        (nothing, None),
        (Credentials { token: Some(&one), ..nothing }, Some("token-up")),
        (Credentials { token: Some(&three), ..nothing }, Some("token-up")),
        (Credentials { token: Some(&two), ..nothing }, Some("token-down")),
        (Credentials { certificate: &alice, ..nothing }, Some("cert-up")),
        (Credentials { certificate: &bob, ..nothing }, Some("cert-down")),
        (Credentials { user: Some(1000), ..nothing }, Some("user-up")),
        (Credentials { user: Some(1001), ..nothing }, Some("user-down")),
        (Credentials { groups: &[7, 50], ..nothing }, Some("group-up")),
        (Credentials { groups: &[60], ..nothing }, Some("group-down")),
        // Neither a number of the other kind nor a name of another kind counts.
        (Credentials { user: Some(50), groups: &[1000], ..nothing }, None),
        (Credentials { certificate: &stranger, ..nothing }, None),
        // The token before the certificate, that before the user, that before groups.
        (Credentials { token: Some(&one), certificate: &bob, ..nothing }, Some("token-up")),
        (Credentials { token: Some(&two), certificate: &alice, ..nothing }, Some("token-down")),
        (Credentials { certificate: &alice, user: Some(1001), ..nothing }, Some("cert-up")),
        (Credentials { certificate: &bob, user: Some(1000), ..nothing }, Some("cert-down")),
        (Credentials { user: Some(1000), groups: &[60], ..nothing }, Some("user-up")),
        (Credentials { user: Some(1001), groups: &[50], ..nothing }, Some("user-down")),
        // In one kind the least role.
        (Credentials { certificate: &both, ..nothing }, Some("cert-down")),
        (Credentials { groups: &[50, 60], ..nothing }, Some("group-down")),
        (Credentials { groups: &[70, 50], ..nothing }, Some("group-view")),
    ];
    for (shown, expected) in cases {
        for listener in [Role::Nobody, Role::Viewer, Role::Operator] {
            let granted = house.grant(Credentials { listener, ..shown }).unwrap();
            assert_eq!(granted.identity.as_ref().map(IdentityName::as_str), expected, "{shown:?}");
            let role = granted.identity.map_or(listener, |name| house.identities[&name].role);
            assert_eq!(granted.role, role, "{shown:?}");
            assert_eq!(granted.reason == GrantReason::Listener, expected.is_none());
        }
    }
}

#[test]
fn a_token_of_nobody_gets_nothing_whatever_else_is_shown() {
    let alice = [cn("alice")];
    let (user, groups, listener) = (Some(1000), &[50][..], Role::Operator);
    let unknown = digest(9);
    let token = Some(&unknown);
    let shown = Credentials { listener, certificate: &alice, user, groups, token };
    assert_eq!(house().grant(shown), Err(UnknownToken));
    assert_eq!(Rights::default().grant(shown), Err(UnknownToken));
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Nobody), Just(Role::Viewer), Just(Role::Operator)]
}

fn name() -> impl Strategy<Value = CertificateName> {
    prop_oneof![
        (0..4u8).prop_map(|it| CertificateName::Common(it.to_string())),
        (0..4u8).prop_map(|it| CertificateName::Dns(it.to_string())),
    ]
}

fn identity() -> impl Strategy<Value = RightsEntry> {
    let ids = || btree_set(0..5u32, 0..3);
    let tokens = vec((0..5u8).prop_map(digest), 0..2);
    (role(), btree_set(name(), 0..3), ids(), ids(), tokens).prop_map(
        |(role, certificates, users, groups, tokens)| RightsEntry {
            role,
            certificates,
            users,
            groups,
            tokens,
        },
    )
}

proptest! {
    /// Nobody gets more than a rule says: the role is the listener's if nothing that was
    /// shown is named anywhere, and otherwise that of an identity which names something
    /// that was shown; and no identity that is named in the same kind has less.
    #[test]
    fn nobody_gets_more_than_a_rule_says(
        identities in vec(identity(), 0..6),
        listener in role(),
        certificate in vec(name(), 0..3),
        user in proptest::option::of(0..6u32),
        groups in vec(0..6u32, 0..4),
        token in proptest::option::of((0..7u8).prop_map(digest)),
    ) {
        let named = identities.into_iter().enumerate();
        let identities = named.map(|(n, it)| (format!("i{n}").as_str().into(), it)).collect();
        let rights = Rights { identities };
        let token = token.as_ref();
        let shown = Credentials { listener, certificate: &certificate, user, groups: &groups, token };
        let by_token = |it: &RightsEntry| token.is_some_and(|token| it.tokens.contains(token));
        let by_name = |it: &RightsEntry| certificate.iter().any(|name| it.certificates.contains(name));
        let by_user = |it: &RightsEntry| user.is_some_and(|user| it.users.contains(&user));
        let by_group = |it: &RightsEntry| groups.iter().any(|group| it.groups.contains(group));
        let least = |by: &dyn Fn(&RightsEntry) -> bool| {
            rights.identities.values().filter(|it| by(it)).map(|it| it.role).min()
        };
        let expected = match token {
            Some(_) => least(&by_token).ok_or(UnknownToken),
            None => Ok(least(&by_name)
                .or(least(&by_user))
                .or(least(&by_group))
                .unwrap_or(listener)),
        };
        prop_assert_eq!(rights.grant(shown).map(|it| it.role), expected);
    }
}
