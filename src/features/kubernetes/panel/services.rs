//! The panel `services`: how the namespace is reached. The selected row shows the address from outside whole.

use std::sync::Arc;

use super::{COPY, DELETE, DESCRIBE, EDIT, LOGS, SHELL, YAML, age_cell, copied, target};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::model::ServiceRow;
use crate::features::kubernetes::{feed, hosts};
use crate::feed::{Hub, Subscription};
use crate::lang::Stage;
use crate::ui::panel::list::{ListPanel, Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning};

/// The list of services.
pub struct Services {
    hub: Hub,
    clients: Arc<Clients>,
}

/// The panel, which shows nothing until it is opened.
pub fn panel(hub: &Hub, clients: &Arc<Clients>) -> ListPanel<Services> {
    ListPanel::new(Services {
        hub: hub.clone(),
        clients: clients.clone(),
    })
}

const ACTIONS: [Action; 9] = [
    DESCRIBE,
    Action::new("traffic", 't', "watch traffic"),
    LOGS,
    SHELL,
    YAML,
    EDIT,
    COPY,
    Action::new("copy-address", 'Y', "copy address"),
    DELETE,
];

/// The line that watches a service's traffic, to be finished with the page that tells who answers.
fn watched(rows: &[ServiceRow]) -> Effect {
    let [row] = rows else {
        return Effect::Toast("one service at a time: traffic is watched at one address".into());
    };
    let Some(host) = row.ingress.first() else {
        return Effect::Toast(format!("{} has no address from outside", row.name).into());
    };
    let url = hosts::url(host, row.ports.first().map_or(80, |port| port.port));
    Effect::Compose(Stage::new("traffic:watch").arg(&url).into())
}

impl Listing for Services {
    type Row = ServiceRow;

    fn id(&self) -> &'static str {
        "services"
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<ServiceRow> {
        feed::rows(&self.hub, &self.clients, context)
    }

    fn columns(&self, _: Option<&ServiceRow>) -> Vec<Column> {
        vec![
            Column::new("NAME").shortening(12),
            Column::new("TYPE").expendable(1),
            Column::new("CLUSTER-IP").expendable(2),
            // The region part of a load balancer's name stays on one line.
            Column::new("EXTERNAL").wrapping(34),
            Column::new("PORTS").expendable(3),
            Column::new("AGE").expendable(4),
        ]
    }

    fn cells(&self, row: &ServiceRow, look: &RowLook<'_>) -> Vec<Cell> {
        let ports: Vec<String> = row
            .ports
            .iter()
            .map(|port| match port.node_port {
                0 => format!("{}/{}", port.port, port.protocol),
                node => format!("{}:{node}/{}", port.port, port.protocol),
            })
            .collect();
        let external = match (row.ingress.is_empty(), row.kind.as_str()) {
            (false, _) if look.open => Cell::lines(row.ingress.iter().map(String::as_str), Meaning::Text),
            (false, _) => Cell::new(&row.ingress.join(" ")).single(),
            (true, "LoadBalancer") => {
                let waiting = crate::ui::panel::Tone::Progress;
                Cell::state(waiting, "pending", look.theme)
            }
            (true, _) => Cell::styled("-", Meaning::Dim),
        };
        vec![
            Cell::new(&row.name),
            Cell::new(&row.kind),
            Cell::new(&row.cluster_ip),
            external,
            Cell::new(&ports.join(",")),
            age_cell(row.created, look.now),
        ]
    }

    fn empty(&self) -> &'static str {
        "no service in this namespace: kubectl:expose makes one"
    }

    fn empty_everywhere(&self) -> &'static str {
        "no service in any namespace: kubectl:expose makes one"
    }

    fn namespace_of<'r>(&'r self, row: &'r ServiceRow) -> Option<&'r str> {
        Some(&row.namespace)
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        super::in_namespace(effect, namespace)
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&Self::Row>) -> Option<SafeText> {
        super::allowed::denied(&self.clients, context, action, ("", "services"), true)
    }

    fn opens(&self) -> &'static str {
        "describe"
    }

    fn act(&self, action: &str, rows: &[ServiceRow]) -> Vec<Effect> {
        match action {
            "traffic" => vec![watched(rows)],
            "copy-address" => {
                let address = |row: &ServiceRow| row.ingress.first().unwrap_or(&row.cluster_ip).clone();
                let all: Vec<String> = rows.iter().map(address).collect();
                vec![copied(&all.iter().map(String::as_str).collect::<Vec<_>>())]
            }
            other => {
                let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
                super::common(other, "svc", &names)
            }
        }
    }

    fn subject(&self, row: &ServiceRow) -> Option<Target> {
        Some(target("Service", &row.namespace, &row.name))
    }

    fn is(&self, row: &ServiceRow, subject: &Target) -> bool {
        *subject == target("Service", &row.namespace, &row.name)
    }

    fn weight(&self) -> u16 {
        0
    }
}
