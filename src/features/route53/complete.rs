//! Completion of zones, record names and the zone of an alias, out of the same feed that the panel shows; what a name
//! shall lead to is asked of whom it was given: the hosts of load balancers are the cluster's.

use std::time::Duration;

use async_trait::async_trait;

use super::model::{DnsRow, unescaped};
use super::{Service, feed};
use crate::verb::{Candidate, Completer, Completion, CompletionRequest};

/// A first answer may take this long; later ones are there already.
const PATIENCE: Duration = Duration::from_millis(1500);
/// More than a screenful helps nobody.
const MOST: usize = 50;

/// The completer of every verb of the bundle.
pub struct DnsCompleter {
    service: Service,
}

impl DnsCompleter {
    /// Starts no feed before it is asked.
    pub(super) fn new(service: Service) -> Self {
        DnsCompleter { service }
    }
}

#[async_trait]
impl Completer for DnsCompleter {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        if request.option.as_deref() == Some("alias-target-zone") {
            let auto = Candidate {
                value: "auto".into(),
                note: "told by the load balancer's name".into(),
            };
            let fits = Some(auto).filter(|auto| auto.value.starts_with(&request.prefix));
            return Vec::from_iter(fits).into();
        }
        let hosts = async {
            match request.option.is_none() && has_name(&request.positionals) {
                true => self.service.hosts.complete(request.clone()).await,
                false => Completion::default(),
            }
        };
        let feed = feed::subscribe(&self.service, &request.context);
        // Without an answer in time there is nothing to offer yet; the feed goes on for the next try.
        let (hosts, ()) = tokio::join!(hosts, feed.source().first_within(PATIENCE));
        let (rows, trouble): (Vec<DnsRow>, _) = feed.source().read(|rows, health| {
            let rows = rows.iter().map(|(_, row)| row.clone());
            (rows.collect(), health.trouble())
        });
        let why = trouble.filter(|_| names_what_is_there(&request));
        hosts.and(Completion {
            why: why.map(|trouble| format!("Route 53: {trouble}")),
            ..candidates(&request, &rows).into()
        })
    }
}

/// Whether zones and records are asked for at all.
fn names_what_is_there(request: &CompletionRequest) -> bool {
    matches!(request.option.as_deref(), None | Some("zone" | "zone-id"))
}

/// Whether the record's name was typed: a word that only a domain name looks like.
fn has_name(positionals: &[String]) -> bool {
    positionals.iter().any(|word| word.contains('.'))
}

fn candidates(request: &CompletionRequest, rows: &[DnsRow]) -> Vec<Candidate> {
    let prefix = request.prefix.to_lowercase();
    let mut found: Vec<Candidate> = rows
        .iter()
        .filter_map(|row| match (request.option.as_deref(), row) {
            (Some("zone" | "zone-id"), DnsRow::Zone { zone, .. }) => Some(Candidate {
                value: zone.id.clone(),
                note: format!("{}{}", zone.name, if zone.private { " private" } else { "" }),
            }),
            (None, DnsRow::Record { set, .. }) => Some(Candidate {
                value: unescaped(&set.name).trim_end_matches('.').to_owned(),
                note: format!("{} {}", set.kind, set.value_line()),
            }),
            _ => None,
        })
        .filter(|candidate| {
            candidate.value.to_lowercase().starts_with(&prefix)
                || (request.option.is_some() && candidate.note.to_lowercase().starts_with(&prefix))
        })
        .collect();
    found.dedup_by(|one, other| one.value == other.value);
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::model::{Zone, tests::cname};
    use super::*;
    use crate::core::context::Context;

    fn offered(option: Option<&str>, prefix: &str) -> Vec<(String, String)> {
        let zone = Zone {
            id: "Z1".into(),
            name: "spawnhub.com.".into(),
            private: false,
            count: None,
            comment: None,
        };
        let rows = [
            DnsRow::Zone {
                zone,
                kept: 1,
                error: None,
            },
            DnsRow::Record {
                zone: "Z1".into(),
                set: cname("\\052.spawnhub.com.", "lb"),
                pending: false,
            },
        ];
        let request = CompletionRequest {
            context: Arc::new(Context::empty("test")),
            positionals: Vec::new(),
            options: BTreeMap::new(),
            option: option.map(str::to_owned),
            prefix: prefix.to_owned(),
        };
        candidates(&request, &rows)
            .into_iter()
            .map(|found| (found.value, found.note))
            .collect()
    }

    #[test]
    fn hosts_are_offered_behind_the_name_of_the_record() {
        assert!(has_name(&["inspector.spawnhub.com".to_owned()]));
        assert!(!has_name(&[]) && !has_name(&["inspector".to_owned()]));
    }

    #[test]
    fn zones_are_found_by_id_and_by_name() {
        let zone = vec![("Z1".to_owned(), "spawnhub.com.".to_owned())];
        assert_eq!(offered(Some("zone"), "z"), zone);
        assert_eq!(offered(Some("zone"), "spawn"), zone);
        assert_eq!(offered(Some("zone"), "x"), []);
        assert_eq!(
            offered(None, "*"),
            [("*.spawnhub.com".to_owned(), "CNAME lb".to_owned())]
        );
        assert_eq!(offered(Some("ttl"), ""), []);
    }
}
