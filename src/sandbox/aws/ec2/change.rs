//! StartInstances, StopInstances, RebootInstances, TerminateInstances: all of the named instances change, or none.

use std::time::Duration;

use super::super::delay::Delay;
use super::super::fault::Fault;
use super::super::server::Call;
use super::describe::by_ids;
use super::params::Params;
use super::world::{State, World};
use super::{document, render};
use crate::sandbox::clock::Clock;

/// How long a start, a stop or a termination takes, before the clock's speed.
const TRANSITION: Duration = Duration::from_secs(8);

/// Applies `action` to the instances named.
pub(super) fn answer(
    world: &mut World,
    action: &str,
    params: &Params,
    call: &Call<'_>,
    clock: &Clock,
) -> Result<String, Fault> {
    let ids = params.list("InstanceId");
    if ids.is_empty() {
        return Err(Fault::bad(
            "MissingParameter",
            "The request must contain the parameter InstanceId",
        ));
    }
    let ids = by_ids(world, call.region, &ids)?;
    for instance in world
        .instances
        .iter()
        .filter(|instance| ids.contains(&instance.id.as_str()))
    {
        if target(action, instance.state).is_none() {
            return Err(Fault::bad(
                "IncorrectInstanceState",
                format!(
                    "The instance '{}' is not in a state from which it can be {}.",
                    instance.id,
                    past(action)
                ),
            ));
        }
    }
    let now = clock.now();
    let delay = Delay::begin(TRANSITION);
    let mut changes = Vec::new();
    for instance in world
        .instances
        .iter_mut()
        .filter(|instance| ids.contains(&instance.id.as_str()))
    {
        let previous = instance.state;
        let Some((during, after)) = target(action, previous) else {
            continue;
        };
        if during != previous {
            instance.state = during;
            instance.next = Some((after, delay));
            if after == State::Running {
                instance.launched = now;
            }
        }
        changes.push((instance.id.clone(), previous, instance.state));
    }
    Ok(document(action, call, |x| {
        if action == "RebootInstances" {
            x.text("return", "true");
            return;
        }
        x.element("instancesSet", |x| {
            for (id, previous, current) in &changes {
                x.element("item", |x| {
                    x.text("instanceId", id);
                    render::state("currentState", *current, x);
                    render::state("previousState", *previous, x);
                });
            }
        });
    }))
}

/// The state on the way and at the end; the same state twice when nothing is to be done, `None` when refused.
fn target(action: &str, from: State) -> Option<(State, State)> {
    use State::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
    match (action, from) {
        ("StartInstances", Stopped) => Some((Pending, Running)),
        ("StartInstances", Pending | Running) => Some((from, from)),
        ("StopInstances", Running) => Some((Stopping, Stopped)),
        ("StopInstances", Stopping | Stopped) => Some((from, from)),
        ("TerminateInstances", ShuttingDown | Terminated) => Some((from, from)),
        ("TerminateInstances", _) => Some((ShuttingDown, Terminated)),
        ("RebootInstances", Running | Pending) => Some((from, from)),
        _ => None,
    }
}

fn past(action: &str) -> &'static str {
    match action {
        "StartInstances" => "started",
        "StopInstances" => "stopped",
        "RebootInstances" => "rebooted",
        _ => "terminated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_move_only_where_the_api_lets_them() {
        assert_eq!(
            target("StopInstances", State::Running),
            Some((State::Stopping, State::Stopped))
        );
        assert_eq!(target("StartInstances", State::Stopping), None);
        assert_eq!(target("StartInstances", State::Terminated), None);
        assert_eq!(
            target("TerminateInstances", State::Stopped),
            Some((State::ShuttingDown, State::Terminated))
        );
        assert_eq!(target("RebootInstances", State::Stopped), None);
    }
}
