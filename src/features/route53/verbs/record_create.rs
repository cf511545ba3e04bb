//! `r53:record-create`: creates a record set, or replaces the one that is there (UPSERT).

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::client;
use super::super::model::{Alias, DEFAULT_TTL, RecordSet, canonical_name, quoted_text};
use super::super::{Service, elb};
use super::change::{creating, deleting, finish, live, precondition, state, still, target};
use super::{open, type_option, until_cancelled, wait_option, zone_option};
use crate::core::change::{Change, Inverse, Risk};
use crate::core::record::{Record, at, text_at};
use crate::core::report::Report;
use crate::lang::print;
use crate::verb::{Call, Declaration, InputMode, Mutate, OptionKind, OptionSpec, Output, Positional, Verb};

/// The word that lets the zone of an alias be found by the load balancer's name.
const AUTO: &str = "auto";
/// The API's largest TTL.
const LONGEST_TTL: i64 = 2_147_483_647;

/// The verb.
pub fn verb(service: Service) -> Verb {
    let declaration = Declaration::new(
        "r53",
        "record-create",
        "Create a record, or replace the one of this name and type",
    )
    .description(
        "Without VALUE the host name (or address) of the service that comes down the pipe is taken. With -a the \
             record is an alias: it follows its target's addresses, may stand at the zone's apex where a CNAME may \
             not, and has no TTL; -a takes the target's hosted zone (a load balancer's is Amazon's, not yours), or \
             `auto` to tell it by the load balancer's name. A TXT value that is not in double quotes is put into them.",
    )
    .input(InputMode::Each)
    .risk(Risk::Change)
    .permission("r53:write")
    .positional(Positional::new("name", OptionKind::String, "domain name, with or without the final dot").always())
    .positional(Positional::new("value", OptionKind::String, "values; an alias has one, its target").variadic())
    .option(zone_option().required())
    .option(type_option().required())
    .option(
        OptionSpec::new(
            "alias-target-zone",
            OptionKind::String,
            "make an alias; the target's hosted zone, or auto",
        )
        .short('a')
        .value_name("zone")
        .alias("alias-target-zone-id"),
    )
    .option(OptionSpec::new(
        "evaluate-target-health",
        OptionKind::Bool,
        "an alias answers only while its target is healthy",
    ))
    .option(OptionSpec::new("ttl", OptionKind::Int, "seconds; 300 when not given").value_name("seconds"))
    .option(wait_option())
    .output("One record: {change: {id, status}, request}.")
    .notes("Replacing a live record is of class destroy. UPSERT cannot change the type: delete the other one first.")
    .example(
        "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com a0-1.ap-southeast-2.elb.amazonaws.com",
        "a name for a load balancer",
    )
    .example(
        "r53:record-create -z spawnhub.com -t A -a auto spawnhub.com a0-1.ap-southeast-2.elb.amazonaws.com",
        "an alias at the apex",
    )
    .example(
        "kubectl:get svc inspector | r53:record-create -z spawnhub.com -t CNAME --wait inspector.spawnhub.com",
        "the host comes down the pipe",
    );
    Verb::mutate(declaration, Create { service })
}

struct Create {
    service: Service,
}

#[async_trait]
impl Mutate for Create {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let wanted = wanted(call)?;
        let route53 = open(&self.service, call).await?;
        let given = call.arguments.text("zone").unwrap_or_default();
        let zone = until_cancelled(call, client::find_zone(&route53, &given)).await?;
        let live = until_cancelled(call, live(&route53, &zone, &wanted.name, &wanted.kind)).await?;
        Ok(vec![planned(&zone, &wanted, live.set.as_ref(), &live.others)])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let (zone, set) = request(&change.request)?;
        let route53 = open(&self.service, call).await?;
        let accepted = {
            let _one_at_a_time = until_cancelled(call, async { Ok(route53.account.zone(zone).await) }).await?;
            let now = until_cancelled(call, live(&route53, zone, &set.name, &set.kind)).await?;
            still(&change.precondition, &state(now.set.as_ref()))?;
            // Not cancelled once it is sent: nobody could tell whether it was made.
            client::upsert(&route53, zone, &set)
                .await
                .map_err(|report| advised(report, zone, &set, &now.others))?
        };
        finish(
            &self.service,
            &route53,
            call,
            output,
            (zone, &set),
            (accepted, line(&set)),
        )
        .await
    }
}

/// The change that makes `live` into `wanted`.
fn planned(zone: &str, wanted: &RecordSet, live: Option<&RecordSet>, others: &[String]) -> Change {
    let (before, after) = (state(live), wanted.state());
    let inverse = match live {
        None => Some(deleting(zone, wanted)),
        Some(set) if set.special => None,
        Some(set) => Some(creating(zone, set)),
    };
    let name = canonical_name(&wanted.name);
    let summary = match live {
        None => format!("create {} {name} → {}", wanted.kind, wanted.value_line()),
        Some(set) => format!("replace {} {name}: {} → {}", wanted.kind, told(set), told(wanted)),
    };
    Change {
        verb: "r53:record-create".to_owned(),
        summary,
        target: target(zone, &wanted.name),
        precondition: precondition(zone, &before),
        request: json!({"zone": zone, "set": wanted.record(zone), "others": others}),
        risk: if before.is_null() || before == after {
            Risk::Change
        } else {
            Risk::Destroy
        },
        inverse: inverse.map(|stage| Inverse {
            pipeline: print(&stage),
            expects: after.clone(),
        }),
        before,
        after,
        recovery: false,
    }
}

fn told(set: &RecordSet) -> String {
    match set.ttl {
        Some(ttl) => format!("{} (TTL {ttl})", set.value_line()),
        None => set.value_line(),
    }
}

fn line(set: &RecordSet) -> String {
    let sort = if set.alias.is_some() { "alias" } else { "basic" };
    format!(
        "upsert {sort} {} record {} -> {}",
        set.kind,
        canonical_name(&set.name),
        told(set)
    )
}

fn request(request: &Value) -> Result<(&str, RecordSet), Report> {
    let zone = text_at(request, &["zone"]);
    let set = at(request, &["set"]).and_then(RecordSet::parse);
    zone.zip(set)
        .ok_or_else(|| Report::failed("E-R53-008", "the plan does not say what to send"))
}

/// The record set that the words ask for.
fn wanted(call: &Call) -> Result<RecordSet, Report> {
    let words = call.arguments.texts();
    let (name, given) = words
        .split_first()
        .ok_or_else(|| Report::refused("E-R53-009", "r53:record-create needs the name of the record"))?;
    let kind = call.arguments.text("type").unwrap_or_default();
    let mut values = given.to_vec();
    if values.is_empty() {
        values.push(piped(call.record.as_ref())?);
    }
    if kind == "TXT" || kind == "SPF" {
        values = values.iter().map(|value| quoted_text(value)).collect();
    }
    let ttl = call.arguments.int("ttl");
    let mut set = RecordSet {
        name: name.clone(),
        kind,
        ttl: Some(ttl.unwrap_or(DEFAULT_TTL)),
        values,
        alias: None,
        identifier: None,
        special: false,
    };
    let evaluate = call.arguments.flag("evaluate-target-health");
    match call.arguments.text("alias-target-zone") {
        Some(zone) => become_alias(&mut set, &zone, evaluate, ttl.is_some())?,
        None if evaluate => {
            return Err(Report::refused("E-R53-010", "--evaluate-target-health is for an alias").hint("add -a ZONE"));
        }
        None => {}
    }
    if ttl.is_some_and(|ttl| !(0..=LONGEST_TTL).contains(&ttl)) {
        return Err(Report::refused(
            "E-R53-011",
            format!("a TTL lies between 0 and {LONGEST_TTL} seconds"),
        ));
    }
    Ok(set)
}

fn become_alias(set: &mut RecordSet, zone: &str, evaluate: bool, has_ttl: bool) -> Result<(), Report> {
    if has_ttl {
        return Err(Report::refused("E-R53-012", "an alias has no TTL: it takes its target's").hint("leave --ttl out"));
    }
    let [host] = set.values.as_slice() else {
        return Err(Report::refused(
            "E-R53-013",
            format!("an alias has one target, not {}", set.values.len()),
        ));
    };
    let zone = match zone {
        AUTO => elb::canonical_zone(host).ok_or_else(|| {
            Report::refused(
                "E-R53-014",
                format!("{host} is not the name of a load balancer in a region known here"),
            )
            .hint("name the target's hosted zone: -a ZONE")
        })?,
        named => super::super::model::zone_id(named).ok_or_else(|| {
            Report::refused("E-R53-015", format!("{named} is not the id of a hosted zone"))
                .hint("-a takes the id of the target's zone, or auto for a load balancer")
        })?,
    };
    set.alias = Some(Alias {
        zone: zone.to_owned(),
        host: host.clone(),
        evaluate,
    });
    set.values.clear();
    set.ttl = None;
    Ok(())
}

/// What the service that came down the pipe is reached by.
fn piped(record: Option<&Record>) -> Result<String, Report> {
    let Some(record) = record else {
        return Err(Report::refused("E-R53-016", "r53:record-create needs a value")
            .hint("r53:record-create -z ZONE -t TYPE NAME VALUE…"));
    };
    let ingress = at(record, &["status", "loadBalancer", "ingress", "0"]);
    let host = ingress.and_then(|ingress| text_at(ingress, &["hostname"]).or_else(|| text_at(ingress, &["ip"])));
    host.map(str::to_owned).ok_or_else(|| {
        Report::failed(
            "E-R53-017",
            "the record has no load balancer's name at status.loadBalancer.ingress[0]",
        )
        .on_record(record)
        .hint("a service of type LoadBalancer gets its name after a while: kubectl:get svc shows <pending> until then")
    })
}

/// Adds what to do about a refusal that has a way round it.
fn advised(report: Report, zone: &str, set: &RecordSet, others: &[String]) -> Report {
    let outside = report
        .message
        .split_once("not permitted in zone ")
        .map(|(_, zone)| zone.to_owned());
    if let (Some(domain), None) = (outside, &report.hint) {
        let domain = domain.trim_end_matches(['.', '\'', ']', '"']);
        let name = canonical_name(&set.name);
        return report.hint(format!(
            "a name of this zone ends in {domain}: did you mean {}.{domain}?",
            name.trim_end_matches('.')
        ));
    }
    if report.hint.is_some() || set.kind != "CNAME" {
        return match others.iter().any(|kind| kind == "CNAME") && set.kind != "CNAME" && report.hint.is_none() {
            true => report.hint(format!(
                "a CNAME stands alone at its name; delete it first: {}",
                removal(zone, set, "CNAME")
            )),
            false => report,
        };
    }
    if let (true, Some(value)) = (report.message.contains("apex"), set.values.first()) {
        let auto = elb::canonical_zone(value).is_some();
        let alias = RecordSet {
            kind: "A".to_owned(),
            ttl: None,
            values: Vec::new(),
            alias: Some(Alias {
                zone: if auto { AUTO } else { "ZONE" }.to_owned(),
                host: value.clone(),
                evaluate: false,
            }),
            ..set.clone()
        };
        return report.hint(format!("at the apex make an alias: {}", print(&creating(zone, &alias))));
    }
    match others.first() {
        Some(other) => report.hint(format!(
            "a CNAME stands alone at its name; delete the other first: {}",
            removal(zone, set, other)
        )),
        None => report,
    }
}

fn removal(zone: &str, set: &RecordSet, kind: &str) -> String {
    let other = RecordSet {
        kind: kind.to_owned(),
        values: Vec::new(),
        ..set.clone()
    };
    print(&deleting(zone, &other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::model::tests::cname;
    use super::*;

    const HOST: &str = "a0-1.ap-southeast-2.elb.amazonaws.com";

    #[test]
    fn plan_and_inverse_fit_together() {
        let wanted = cname("inspector.spawnhub.com", HOST);
        let fresh = planned("Z1", &wanted, None, &[]);
        assert_eq!((fresh.risk, &fresh.before), (Risk::Change, &Value::Null));
        let inverse = fresh.inverse.unwrap();
        assert_eq!(
            inverse.pipeline,
            format!("r53:record-delete --zone Z1 --type CNAME inspector.spawnhub.com {HOST}")
        );
        assert_eq!(inverse.expects, wanted.state(), "what the deletion will find");

        let live = RecordSet {
            ttl: Some(60),
            ..cname("inspector.spawnhub.com.", "old.example")
        };
        let over = planned("Z1", &wanted, Some(&live), &[]);
        assert_eq!(over.risk, Risk::Destroy);
        let inverse = over.inverse.unwrap();
        assert_eq!(
            inverse.pipeline,
            "r53:record-create --zone Z1 --type CNAME --ttl 60 inspector.spawnhub.com. old.example"
        );
        assert_eq!((inverse.expects, over.before), (wanted.state(), live.state()));

        let same = planned("Z1", &wanted, Some(&cname("inspector.spawnhub.com.", HOST)), &[]);
        assert!(same.is_noop() && same.risk == Risk::Change);
        let special = RecordSet { special: true, ..live };
        assert_eq!(
            planned("Z1", &wanted, Some(&special), &[]).inverse,
            None,
            "a health check could not be restored"
        );
    }

    #[test]
    fn an_alias_is_restored_as_one() {
        let mut live = cname("spawnhub.com.", HOST);
        live.kind = "A".into();
        become_alias(&mut live, AUTO, true, false).unwrap();
        assert_eq!(
            live.alias.as_ref().map(|alias| alias.zone.as_str()),
            Some("Z1GM3OXH4ZPM65")
        );
        let wanted = RecordSet {
            kind: "A".into(),
            ..cname("spawnhub.com", "203.0.113.9")
        };
        assert_eq!(
            planned("Z1", &wanted, Some(&live), &[]).inverse.unwrap().pipeline,
            format!(
                "r53:record-create --zone Z1 --type A --alias-target-zone Z1GM3OXH4ZPM65 --evaluate-target-health spawnhub.com. {HOST}"
            )
        );
    }

    #[test]
    fn impossible_aliases_are_refused_before_anything_is_read() {
        let alias = |zone, host, ttl| {
            become_alias(&mut cname("spawnhub.com", host), zone, false, ttl)
                .unwrap_err()
                .code
        };
        assert_eq!(alias(AUTO, "www.example.com", false), "E-R53-014");
        assert_eq!(alias("spawnhub.com", HOST, false), "E-R53-015");
        assert_eq!(alias(AUTO, HOST, true), "E-R53-012");
        let mut two = cname("spawnhub.com", HOST);
        two.values.push(HOST.into());
        assert_eq!(
            become_alias(&mut two, AUTO, false, false).unwrap_err().code,
            "E-R53-013"
        );
    }

    #[test]
    fn hostile_values_stay_one_argument_of_the_inverse() {
        let value = "x; kubectl:delete 'ns' | $(reboot)\n--yes";
        let live = RecordSet {
            kind: "TXT".into(),
            ..cname("-t.spawnhub.com", value)
        };
        let pipeline = print(&creating("Z1", &live));
        let line = crate::lang::parse(&pipeline).unwrap();
        assert_eq!(
            (line.items.len(), line.items[0].pipeline.stages.len()),
            (1, 1),
            "{pipeline}"
        );
        assert_eq!(line.items[0].pipeline.stages[0].words.len(), 1 + 6 + 2, "{pipeline}");
    }

    #[test]
    fn the_host_comes_from_the_service() {
        let service = |ingress: Value| json!({"status": {"loadBalancer": {"ingress": ingress}}});
        assert_eq!(piped(Some(&service(json!([{"hostname": HOST}])))).unwrap(), HOST);
        assert_eq!(
            piped(Some(&service(json!([{"ip": "203.0.113.1"}])))).unwrap(),
            "203.0.113.1"
        );
        assert_eq!(
            piped(Some(&json!({"status": {"loadBalancer": {}}}))).unwrap_err().code,
            "E-R53-017"
        );
        assert_eq!(piped(None).unwrap_err().code, "E-R53-016");
    }
}
