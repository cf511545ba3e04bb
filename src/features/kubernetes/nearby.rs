//! Which objects there are of a type that a mistyped name may have meant. Not for completing: that ranks and inserts.

use std::time::Duration;

use serde_json::Value;

use super::client::{NAMES_ONLY, Session};
use super::error::NOT_FOUND;
use super::object;
use super::path::Query;
use super::target::Target;
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

/// Nobody waits longer for a suggestion.
const PATIENCE: Duration = Duration::from_secs(1);
/// Names looked at.
const MOST: usize = 500;

/// The report that an object is not there, with the nearest names of those that are in front of its hint. Any other
/// report, and one for which no name can be had in time, stays as it is.
pub async fn meant(session: &Session, target: &Target, report: Report) -> Report {
    if report.code != NOT_FOUND {
        return report;
    }
    let path = Query::new()
        .with("limit", MOST.to_string())
        .on(&target.resource.collection(Some(&target.namespace)));
    let asking = session.cluster.get_as::<Value>(&path, NAMES_ONLY);
    let Ok(Ok(list)) = tokio::time::timeout(PATIENCE, asking).await else {
        return report;
    };
    suggesting(report, &target.name, &list)
}

fn suggesting(report: Report, name: &str, list: &Value) -> Report {
    let names = object::list(list, "/items").iter().map(object::name).map(str::to_owned);
    let Some(near) = did_you_mean(&nearest(name, names)) else {
        return report;
    };
    let hint = match &report.hint {
        Some(hint) => format!("{near} {hint}"),
        None => near,
    };
    report.hint(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_nearest_name_stands_before_the_hint_and_none_is_made_up() {
        let list = json!({"items": [{"metadata": {"name": "inspector"}}, {"metadata": {"name": "web"}}]});
        let report =
            || Report::failed(NOT_FOUND, "deployments \"inspectr\" not found").hint("`kubectl:get` lists those");
        let hint = |name: &str| suggesting(report(), name, &list).hint;
        assert_eq!(
            hint("inspectr").as_deref(),
            Some("did you mean inspector? `kubectl:get` lists those")
        );
        assert_eq!(hint("redis").as_deref(), Some("`kubectl:get` lists those"));
    }
}
