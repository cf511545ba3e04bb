//! Which objects there are of a type that a mistyped name may have meant. Not for completing: that ranks and inserts.

use std::time::Duration;

use serde_json::Value;

use super::client::Session;
use super::error;
use super::listing;
use super::object;
use super::target::Target;
use crate::core::report::Report;
use crate::verb::Call;
use crate::verb::catalogue::{did_you_mean, nearest};

/// Nobody waits longer for a suggestion.
const PATIENCE: Duration = Duration::from_secs(1);
/// Names looked at.
const MOST: usize = 500;

/// The objects that are not there as one report; none: all are. A single name that was typed has the nearest of those
/// that are there in front of its hint, where they can be had in time. Of several only the sentences are told, and what
/// a manifest names is not mistyped.
pub async fn missing(call: &Call, session: &Session, mut missing: Vec<(&Target, Report)>) -> Option<Report> {
    if missing.len() > 1 || !call.arguments.list("filename").is_empty() {
        return error::all(missing.into_iter().map(|(_, report)| report).collect());
    }
    let (target, report) = missing.pop()?;
    let asking = listing::first(session, &target.resource, &target.namespace, MOST);
    Some(match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(there)) => suggesting(report, &target.name, &there),
        _ => report,
    })
}

fn suggesting(report: Report, name: &str, there: &[Value]) -> Report {
    let names = there.iter().map(object::name).map(str::to_owned);
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
        let list = [
            json!({"metadata": {"name": "inspector"}}),
            json!({"metadata": {"name": "web"}}),
        ];
        let report =
            || Report::failed(error::NOT_FOUND, "deployments \"inspectr\" not found").hint("`kubectl:get` lists those");
        let hint = |name: &str| suggesting(report(), name, &list).hint;
        assert_eq!(
            hint("inspectr").as_deref(),
            Some("did you mean inspector? `kubectl:get` lists those")
        );
        assert_eq!(hint("redis").as_deref(), Some("`kubectl:get` lists those"));
    }
}
