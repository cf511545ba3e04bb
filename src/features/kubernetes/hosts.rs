//! Completes the host names that clouds gave to services, and the URLs they are reached under: what a DNS record is made
//! for and what traffic is watched at, so that nobody copies them from the screen. A service that is still pending has
//! none yet, and is not offered.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::client::Clients;
use super::object;
use super::path::Query;
use super::verbs::completer::candidates;
use crate::core::record::text_at;
use crate::core::report::Report;
use crate::verb::{Candidate, Completer, Completion, CompletionRequest};

/// Services looked through at most.
const MOST: usize = 500;

/// Hosts and addresses of load balancers in the context's namespace, as the API has them when it is asked.
pub fn completer(clients: &Arc<Clients>) -> Arc<dyn Completer> {
    Arc::new(Hosts {
        clients: clients.clone(),
        offers: |_, host| host.to_owned(),
    })
}

/// The same as URLs.
pub fn urls(clients: &Arc<Clients>) -> Arc<dyn Completer> {
    Arc::new(Hosts {
        clients: clients.clone(),
        offers: |service, host| {
            let port = object::list(service, "/spec/ports").first();
            url(host, port.and_then(|port| port["port"].as_i64()).unwrap_or(80))
        },
    })
}

/// Under which a host is asked at a port: 443 is where HTTPS is, all else is taken for HTTP. Ends at the root, so that a
/// page can be typed behind it.
pub fn url(host: &str, port: i64) -> String {
    match port {
        80 => format!("http://{host}/"),
        443 => format!("https://{host}/"),
        port => format!("http://{host}:{port}/"),
    }
}

struct Hosts {
    clients: Arc<Clients>,
    /// What is offered of a service and one of its hosts.
    offers: fn(&Value, &str) -> String,
}

#[async_trait]
impl Completer for Hosts {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        candidates(self.ask(&request)).await
    }
}

impl Hosts {
    async fn ask(&self, request: &CompletionRequest) -> Result<Completion, Report> {
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
        Ok(hosts(&list, &request.prefix, self.offers).into())
    }
}

fn hosts(list: &Value, prefix: &str, offers: fn(&Value, &str) -> String) -> Vec<Candidate> {
    let of = |service: &Value| {
        let name = object::name(service);
        let places = object::list(service, "/status/loadBalancer/ingress").iter();
        let hosts = places.filter_map(|place| text_at(place, &["hostname"]).or_else(|| text_at(place, &["ip"])));
        let values = hosts.map(|host| offers(service, host));
        values
            .filter(|value| value.starts_with(prefix))
            .map(|value| Candidate {
                value,
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
            let found = hosts(&list, prefix, |_, host| host.to_owned());
            found.into_iter().map(|found| (found.value, found.note)).collect()
        };
        let inspector = ("a1.elb.example".to_owned(), "service inspector".to_owned());
        let bare = ("203.0.113.9".to_owned(), "service bare".to_owned());
        assert_eq!(offered(""), [inspector.clone(), bare]);
        assert_eq!(offered("a1"), [inspector]);
        assert_eq!(offered("z"), []);
    }

    #[test]
    fn a_url_says_the_port_where_it_is_not_the_usual_one() {
        assert_eq!(url("a1.elb.example", 80), "http://a1.elb.example/");
        assert_eq!(url("a1.elb.example", 443), "https://a1.elb.example/");
        assert_eq!(url("203.0.113.9", 8080), "http://203.0.113.9:8080/");
    }
}
