//! `r53:record-delete`: deletes a record set, exactly as it was seen.

use async_trait::async_trait;
use serde_json::json;

use super::super::Service;
use super::super::client;
use super::super::model::{RecordSet, canonical_name, quoted_text};
use super::change::{Live, creating, finish, live, precondition, state, still, target};
use super::{open, type_option, until_cancelled, wait_option, zone_option};
use crate::core::change::{Change, Inverse, Risk};
use crate::core::record::text_at;
use crate::core::report::Report;
use crate::features::aws::client::Route53;
use crate::lang::print;
use crate::verb::{Call, Declaration, InputMode, Mutate, OptionKind, Output, Positional, Verb};

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new("r53", "record-delete", "Delete a record")
        .description(
            "Deletes the record set of this name and type. With VALUEs it must have exactly these; a record of \
             r53:record-list that comes down the pipe must still be as it was listed.",
        )
        .input(InputMode::Each)
        .risk(Risk::Destroy)
        .permission("r53:write")
        .positional(Positional::new(
            "name",
            OptionKind::String,
            "domain name, with or without the final dot",
        ))
        .positional(
            Positional::new("value", OptionKind::String, "the values it must have")
                .optional()
                .variadic(),
        )
        .option(zone_option())
        .option(type_option())
        .option(wait_option())
        .output("One record: {change: {id, status}, request}.")
        .example(
            "r53:record-delete -z spawnhub.com -t CNAME inspector.spawnhub.com",
            "one record",
        )
        .example(
            "r53:record-list -z spawnhub.com --name old | r53:record-delete",
            "those that were listed",
        );
    Verb::mutate(declaration, Delete { service })
}

struct Delete {
    service: Service,
}

/// What the words or the record on the pipe ask to delete.
#[derive(Debug)]
struct Wanted {
    zone: String,
    name: String,
    kind: Option<String>,
    values: Vec<String>,
    /// The whole set as it was listed.
    listed: Option<RecordSet>,
}

#[async_trait]
impl Mutate for Delete {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let wanted = wanted(call)?;
        let route53 = open(&self.service, call).await?;
        let zone = until_cancelled(call, client::find_zone(&route53, &wanted.zone)).await?;
        let kind = match &wanted.kind {
            Some(kind) => kind.clone(),
            None => until_cancelled(call, only_kind(&route53, &zone, &wanted.name)).await?,
        };
        let live = until_cancelled(call, live(&route53, &zone, &wanted.name, &kind)).await?;
        let set = matching(&wanted, &zone, &kind, live)?;
        Ok(vec![planned(&zone, &set)])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let zone = change.target.scope.as_str();
        let (Some(name), Some(kind)) = (text_at(&change.request, &["name"]), text_at(&change.request, &["type"]))
        else {
            return Err(Report::failed("E-R53-008", "the plan does not say what to send"));
        };
        let route53 = open(&self.service, call).await?;
        let (set, accepted) = {
            let _one_at_a_time = until_cancelled(call, async { Ok(route53.account.zone(zone).await) }).await?;
            let now = until_cancelled(call, live(&route53, zone, name, kind)).await?;
            still(&change.precondition, &state(now.set.as_ref()))?;
            let Some(set) = now.set else {
                return Err(absent(zone, name, kind, &now.others));
            };
            let accepted = client::delete(&route53, zone, &set).await?;
            (set, accepted)
        };
        let line = format!("delete {} record {}", set.kind, canonical_name(&set.name));
        finish(&self.service, &route53, call, output, (zone, &set), (accepted, line)).await
    }
}

fn planned(zone: &str, set: &RecordSet) -> Change {
    let before = set.state();
    let inverse = (!set.special).then(|| Inverse {
        pipeline: print(&creating(zone, set)),
        expects: serde_json::Value::Null,
    });
    Change {
        verb: "r53:record-delete".to_owned(),
        summary: format!(
            "delete {} {} ({})",
            set.kind,
            canonical_name(&set.name),
            set.value_line()
        ),
        target: target(zone, &set.name),
        precondition: precondition(zone, &before),
        request: json!({"name": set.name, "type": set.kind}),
        risk: Risk::Destroy,
        inverse,
        before,
        after: serde_json::Value::Null,
        recovery: false,
    }
}

fn wanted(call: &Call) -> Result<Wanted, Report> {
    let words = call.arguments.texts();
    let record = call.record.as_ref();
    let listed = match (words.is_empty(), record) {
        (true, Some(record)) => Some(RecordSet::parse(record).ok_or_else(|| {
            Report::failed(
                "E-R53-018",
                "this is not a record of r53:record-list: Name and Type are missing",
            )
            .on_record(record)
        })?),
        _ => None,
    };
    let zone = call
        .arguments
        .text("zone")
        .or_else(|| record.and_then(|record| text_at(record, &["Zone"])).map(str::to_owned))
        .ok_or_else(|| Report::refused("E-R53-004", "r53:record-delete needs a zone").hint("name it with --zone"))?;
    let kind = call
        .arguments
        .text("type")
        .or_else(|| listed.as_ref().map(|set| set.kind.clone()));
    let name = listed
        .as_ref()
        .map(|set| set.name.clone())
        .or_else(|| words.first().cloned());
    let name = name.ok_or_else(|| Report::refused("E-R53-009", "r53:record-delete needs the name of the record"))?;
    Ok(Wanted {
        zone,
        name,
        kind,
        values: words.into_iter().skip(1).collect(),
        listed,
    })
}

/// The type, when none was named and there is only one.
async fn only_kind(route53: &Route53, zone: &str, name: &str) -> Result<String, Report> {
    let mut kinds: Vec<String> = client::at_name(route53, zone, name)
        .await?
        .into_iter()
        .map(|set| set.kind)
        .collect();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(absent(zone, name, "", &[])),
        several => Err(
            Report::refused("E-R53-019", format!("{name} has records of several types"))
                .hint(format!("name one with --type: {}", several.join(", "))),
        ),
    }
}

/// The live set, if it is the one that was meant.
fn matching(wanted: &Wanted, zone: &str, kind: &str, live: Live) -> Result<RecordSet, Report> {
    let Some(set) = live.set else {
        return Err(absent(zone, &wanted.name, kind, &live.others));
    };
    let differs = |asked: String| {
        Report::refused(
            "E-R53-020",
            format!("{kind} {} is not {asked}: it is {}", wanted.name, set.value_line()),
        )
        .hint("nothing was deleted; list it again")
    };
    if let Some(listed) = &wanted.listed
        && listed.state() != set.state()
    {
        return Err(differs(listed.value_line()));
    }
    if !wanted.values.is_empty() {
        let quoted = |value: &String| {
            if kind == "TXT" || kind == "SPF" {
                quoted_text(value)
            } else {
                value.clone()
            }
        };
        let mut asked: Vec<String> = wanted.values.iter().map(quoted).collect();
        let mut has = set.values.clone();
        asked.sort();
        has.sort();
        if asked != has {
            return Err(differs(asked.join(", ")));
        }
    }
    Ok(set)
}

fn absent(zone: &str, name: &str, kind: &str, others: &[String]) -> Report {
    let what = if kind.is_empty() {
        String::new()
    } else {
        format!("{kind} ")
    };
    let report = Report::refused(
        "E-R53-021",
        format!("zone {zone} has no {what}record {}", canonical_name(name)),
    );
    match others {
        [] => report.hint("r53:record-list shows what it has"),
        others => report.hint(format!("that name has: {}", others.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::model::tests::cname;
    use super::*;

    fn wanting(values: &[&str], listed: Option<RecordSet>) -> Wanted {
        Wanted {
            zone: "Z1".into(),
            name: "a.spawnhub.com".into(),
            kind: Some("CNAME".into()),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            listed,
        }
    }

    fn judge(wanted: &Wanted, set: Option<RecordSet>) -> Result<RecordSet, Report> {
        matching(
            wanted,
            "Z1",
            "CNAME",
            Live {
                set,
                others: vec!["A".into()],
            },
        )
    }

    #[test]
    fn only_what_was_meant_is_deleted() {
        let live = cname("a.spawnhub.com.", "lb.example");
        assert!(judge(&wanting(&[], None), Some(live.clone())).is_ok());
        assert!(judge(&wanting(&["lb.example"], None), Some(live.clone())).is_ok());
        assert_eq!(
            judge(&wanting(&["other"], None), Some(live.clone())).unwrap_err().code,
            "E-R53-020"
        );
        let older = RecordSet {
            ttl: Some(60),
            ..live.clone()
        };
        assert_eq!(
            judge(&wanting(&[], Some(older)), Some(live)).unwrap_err().code,
            "E-R53-020"
        );
        let gone = judge(&wanting(&[], None), None).unwrap_err();
        assert_eq!(
            (gone.code, gone.hint.as_deref()),
            ("E-R53-021", Some("that name has: A"))
        );
    }

    #[test]
    fn what_is_deleted_can_be_made_again() {
        let change = planned("Z1", &cname("a.spawnhub.com.", "lb.example"));
        assert_eq!((change.risk, change.after.is_null()), (Risk::Destroy, true));
        let inverse = change.inverse.unwrap();
        assert_eq!(
            inverse.pipeline,
            "r53:record-create --zone Z1 --type CNAME --ttl 300 a.spawnhub.com. lb.example"
        );
        assert!(inverse.expects.is_null());
        let special = RecordSet {
            special: true,
            ..cname("a.spawnhub.com.", "lb.example")
        };
        assert_eq!(planned("Z1", &special).inverse, None);
    }
}
