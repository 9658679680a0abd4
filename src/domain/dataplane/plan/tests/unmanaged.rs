//! Plans for servers in VPP that the frontend does not have.

use super::*;

#[test]
fn servers_of_backends_without_an_address_are_not_removed() {
    let (desired, observed, name) = small();
    for (unmanaged, expected) in [
        (UnmanagedServers::Remove, Some("remove")),
        (UnmanagedServers::Drain, Some("drain")),
        (UnmanagedServers::Keep, None),
    ] {
        let mut desired = desired.clone();
        let frontend = desired.frontends.get_mut(&name).unwrap();
        let mut changed = DesiredFrontend::clone(frontend);
        let (&left_out, _) = changed.servers.iter().next().unwrap();
        changed.servers.remove(&left_out);
        changed.unmanaged = unmanaged;
        *frontend = Arc::new(changed);
        let mut held = observed.clone();
        let vip = desired.frontends[&name].spec.vip;
        held.vips.get_mut(&vip).unwrap().servers.get_mut(&left_out).unwrap().weight = 7;
        let steps = plan(&desired, &held, &Flushed::new(), &Scope::All);
        let concerned: Vec<_> = steps
            .iter()
            .filter_map(|planned| match planned.step {
                Step::RemoveServer { server, flush: true, .. } if server == left_out => {
                    Some("remove")
                }
                Step::SetWeight { server, weight: Weight::ZERO, flush: false, .. }
                    if server == left_out =>
                {
                    Some("drain")
                }
                _ => None,
            })
            .collect();
        assert_eq!(concerned, expected.into_iter().collect::<Vec<_>>());
        steps.iter().for_each(|planned| apply(&mut held, &planned.step));
        assert_eq!(plan(&desired, &held, &Flushed::new(), &Scope::All), []);
    }
}
