//! DescribeRegions and DescribeAvailabilityZones.

use super::super::fault::Fault;
use super::super::server::Call;
use super::document;
use super::filter::Filter;
use super::params::Params;

/// The regions that need no opt-in.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether a signature may be scoped to it.
pub(in crate::sandbox::aws) fn is_region(name: &str) -> bool {
    REGIONS.contains(&name)
}

/// The regions, by name or filter.
pub(super) fn regions(params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let names = params.list("RegionName");
    if let Some(unknown) = names.iter().find(|name| !is_region(name)) {
        return Err(Fault::bad(
            "InvalidParameterValue",
            format!("Invalid region provided: [{unknown}]"),
        ));
    }
    let filters = Filter::all(params)?;
    let mut found = Vec::new();
    for region in REGIONS {
        let endpoint = format!("ec2.{region}.amazonaws.com");
        let mut keep = names.is_empty() || names.contains(&region);
        for filter in &filters {
            keep &= match filter.name.as_str() {
                "region-name" => filter.matches(&[region]),
                "endpoint" => filter.matches(&[&endpoint]),
                "opt-in-status" => filter.matches(&["opt-in-not-required"]),
                _ => return Err(filter.invalid()),
            };
        }
        if keep {
            found.push((region, endpoint));
        }
    }
    Ok(document("DescribeRegions", call, |x| {
        x.element("regionInfo", |x| {
            for (region, endpoint) in &found {
                x.element("item", |x| {
                    x.text("regionName", region);
                    x.text("regionEndpoint", endpoint);
                    x.text("optInStatus", "opt-in-not-required");
                });
            }
        });
    }))
}

/// The zones of the region that the request is signed for: three, whatever the region has outside.
pub(super) fn zones(params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let names = params.list("ZoneName");
    let all: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|letter| format!("{}{letter}", call.region))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|zone| zone == *name)) {
        return Err(Fault::bad(
            "InvalidParameterValue",
            format!("Invalid availability zone: [{unknown}]"),
        ));
    }
    let filters = Filter::all(params)?;
    let mut found = Vec::new();
    for zone in &all {
        let mut keep = names.is_empty() || names.contains(&zone.as_str());
        for filter in &filters {
            keep &= match filter.name.as_str() {
                "zone-name" => filter.matches(&[zone]),
                "region-name" => filter.matches(&[call.region]),
                "state" => filter.matches(&["available"]),
                "zone-type" => filter.matches(&["availability-zone"]),
                _ => return Err(filter.invalid()),
            };
        }
        if keep {
            found.push(zone);
        }
    }
    Ok(document("DescribeAvailabilityZones", call, |x| {
        x.element("availabilityZoneInfo", |x| {
            for zone in &found {
                x.element("item", |x| {
                    x.text("zoneName", zone);
                    x.text("zoneState", "available");
                    x.text("regionName", call.region);
                    x.text("zoneType", "availability-zone");
                    x.text("optInStatus", "opt-in-not-required");
                    x.element("messageSet", |_| {});
                });
            }
        });
    }))
}
