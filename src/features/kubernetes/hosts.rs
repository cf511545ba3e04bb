//! Completes the host names that clouds gave to services: what a DNS record is made for, so that nobody copies it from
//! the screen. One that is still pending has none yet, and is not offered.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::client::Clients;
use super::object;
use super::path::Query;
use super::verbs::completer::candidates;
use crate::core::record::text_at;
use crate::core::report::Report;
use crate::verb::{Candidate, Completer, CompletionRequest};

/// Services looked through at most.
const MOST: usize = 500;

/// Hosts and addresses of load balancers in the context's namespace, as the API has them when it is asked.
pub fn completer(clients: &Arc<Clients>) -> Arc<dyn Completer> {
    Arc::new(Hosts {
        clients: clients.clone(),
    })
}

struct Hosts {
    clients: Arc<Clients>,
}

#[async_trait]
impl Completer for Hosts {
    async fn complete(&self, request: CompletionRequest) -> Vec<Candidate> {
        candidates(self.ask(&request)).await
    }
}

impl Hosts {
    async fn ask(&self, request: &CompletionRequest) -> Result<Vec<Candidate>, Report> {
        let session = self.clients.session(&request.context).await?;
        let services = session.cluster.discovery().await?.find("services")?;
        let path = Query::new()
            .with("limit", MOST.to_string())
            .on(&services.collection(Some(&session.namespace)));
        let list: Value = session
            .cluster
            .get(&path)
            .await
            .map_err(|error| session.cluster.report(&error))?;
        Ok(hosts(&list, &request.prefix))
    }
}

fn hosts(list: &Value, prefix: &str) -> Vec<Candidate> {
    let of = |service: &Value| {
        let name = object::name(service);
        let places = object::list(service, "/status/loadBalancer/ingress").iter();
        let hosts = places.filter_map(|place| text_at(place, &["hostname"]).or_else(|| text_at(place, &["ip"])));
        let hosts = hosts.filter(|host| host.starts_with(prefix));
        hosts
            .map(|host| Candidate {
                value: host.to_owned(),
                note: format!("service {name}"),
            })
            .collect::<Vec<_>>()
    };
    object::list(list, "/items").iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hosts_that_are_there_are_offered_with_their_service() {
        let list = json!({"items": [
            {"metadata": {"name": "inspector"}, "status": {"loadBalancer": {"ingress": [{"hostname": "a1.elb.example"}]}}},
            {"metadata": {"name": "bare"}, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}, {"hostname": 3}]}}},
            {"metadata": {"name": "pending"}, "status": {"loadBalancer": {}}},
            {"metadata": {"name": "odd"}, "status": {"loadBalancer": {"ingress": "none"}}},
        ]});
        let offered = |prefix: &str| -> Vec<(String, String)> {
            let found = hosts(&list, prefix);
            found.into_iter().map(|found| (found.value, found.note)).collect()
        };
        let inspector = ("a1.elb.example".to_owned(), "service inspector".to_owned());
        let bare = ("203.0.113.9".to_owned(), "service bare".to_owned());
        assert_eq!(offered(""), [inspector.clone(), bare]);
        assert_eq!(offered("a1"), [inspector]);
        assert_eq!(offered("z"), []);
    }
}
