//! DescribeInstances.

use super::super::fault::Fault;
use super::super::server::Call;
use super::filter::{self, Filter};
use super::params::Params;
use super::world::{Instance, World};
use super::{document, render};

/// The instances that the request asks for, a page at a time.
pub(super) fn instances(world: &World, params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let ids = params.list("InstanceId");
    if !ids.is_empty() && params.get("MaxResults").is_some() {
        return Err(Fault::bad(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    }
    let page = params.page(5, 1000)?;
    let named = by_ids(world, call.region, &ids)?;
    let filters = Filter::all(params)?;
    let mut found = Vec::new();
    for instance in world.region(call.region) {
        if (ids.is_empty() || named.contains(&instance.id.as_str())) && keep(instance, &filters)? {
            found.push(instance);
        }
    }
    // An empty region must still refuse a filter that does not exist.
    if let (Some(sample), true) = (world.instances.first(), found.is_empty()) {
        keep(sample, &filters)?;
    }
    let (found, next) = page.of(found);
    Ok(document("DescribeInstances", call, |x| {
        x.element("reservationSet", |x| {
            for instance in &found {
                render::reservation(instance, x);
            }
        });
        x.optional("nextToken", next);
    }))
}

/// The given ids, each checked to be well formed and there.
pub(super) fn by_ids<'a>(world: &World, region: &str, ids: &[&'a str]) -> Result<Vec<&'a str>, Fault> {
    let well_formed = |id: &str| {
        id.strip_prefix("i-").is_some_and(|hex| {
            matches!(hex.len(), 8 | 17) && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        })
    };
    let mut missing = Vec::new();
    for id in ids {
        if !well_formed(id) {
            return Err(Fault::bad(
                "InvalidInstanceID.Malformed",
                format!("Invalid id: \"{id}\""),
            ));
        }
        if !world.region(region).any(|instance| instance.id == *id) {
            missing.push(*id);
        }
    }
    match missing.as_slice() {
        [] => Ok(ids.to_vec()),
        [id] => Err(Fault::bad(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{id}' does not exist"),
        )),
        ids => Err(Fault::bad(
            "InvalidInstanceID.NotFound",
            format!("The instance IDs '{}' do not exist", ids.join(", ")),
        )),
    }
}

fn keep(instance: &Instance, filters: &[Filter]) -> Result<bool, Fault> {
    let mut all = true;
    for filter in filters {
        let values = filter::values(instance, &filter.name).ok_or_else(|| filter.invalid())?;
        all &= filter.matches(&values);
    }
    Ok(all)
}
