//! The panel `pods`: every pod of the namespace, the ones in trouble said in words; while traffic is watched, how many of
//! the last requests each one answered.

use std::sync::Arc;

use super::{COPY, DELETE, DESCRIBE, EDIT, LOGS, SHELL, YAML, age_cell, objects, pod_tone, target};
use crate::core::change::Target;
use crate::core::context::Context;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::feed;
use crate::features::kubernetes::model::PodRow;
use crate::features::traffic::model::{Sample, recent, samples};
use crate::feed::{Hub, RowTable, Subscription};
use crate::ui::panel::list::{ListPanel, Listing, RowLook};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Tone};

/// The list of pods.
pub struct Pods {
    hub: Hub,
    clients: Arc<Clients>,
    of: Option<Target>,
    samples: Option<Subscription<Sample>>,
}

/// The panel, which shows nothing until it is opened.
pub fn panel(hub: &Hub, clients: &Arc<Clients>) -> ListPanel<Pods> {
    ListPanel::new(Pods {
        hub: hub.clone(),
        clients: clients.clone(),
        of: None,
        samples: None,
    })
}

/// The pods that this owns, or that run on this node.
pub fn panel_of(hub: &Hub, clients: &Arc<Clients>, of: &Target) -> ListPanel<Pods> {
    ListPanel::new(Pods {
        hub: hub.clone(),
        clients: clients.clone(),
        of: Some(of.clone()),
        samples: None,
    })
}

/// The last requests that the shares are counted over.
const WINDOW: usize = 60;

impl Pods {
    /// How many of the last requests this pod answered, of how many; none: no traffic is watched, or no answer names the
    /// pod that gave it.
    fn share(&self, pod: Option<&str>) -> Option<(usize, usize)> {
        self.samples.as_ref()?.source().read(|rows, health| {
            let last = recent(rows, health)?.take(WINDOW);
            let (own, named, all) = last.fold((0, 0, 0), |(own, named, all), sample| {
                let of = sample.pod.as_deref();
                (own + usize::from(of == pod), named + usize::from(of.is_some()), all + 1)
            });
            (named > 0).then_some((own, all))
        })
    }
}

fn belongs(row: &PodRow, of: &Target) -> bool {
    match of.kind.as_str() {
        "Node" => row.node == of.name,
        kind => row.owner_kind == kind && row.owner == of.name && row.namespace.as_str() == of.scope,
    }
}

const ACTIONS: [Action; 8] = [
    DESCRIBE,
    Action::new("containers", 'c', "containers"),
    LOGS,
    SHELL,
    YAML,
    EDIT,
    COPY,
    DELETE,
];

impl Listing for Pods {
    type Row = PodRow;

    fn id(&self) -> &'static str {
        "pods"
    }

    fn source(&self) -> &'static str {
        "k8s"
    }

    fn look_beside(&mut self, first: &Arc<Context>) {
        self.samples = Some(samples(&self.hub, first));
    }

    fn leave_beside(&mut self) {
        self.samples = None;
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<PodRow> {
        feed::rows(&self.hub, &self.clients, context)
    }

    fn columns(&self, _: Option<&PodRow>) -> Vec<Column> {
        let requests = self.share(None).map(|_| Column::new("REQUESTS").right().expendable(1));
        let columns = vec![
            // Wide enough to tell the pods of two deployments apart.
            Column::new("NAME").shortening(20),
            Column::new("READY").expendable(4),
            Column::new("STATUS"),
            Column::new("RESTARTS").right().expendable(3),
            Column::new("AGE"),
            Column::new("VERSION").expendable(2),
            Column::new("IP").expendable(5),
            Column::new("NODE").expendable(6),
        ];
        columns.into_iter().chain(requests).collect()
    }

    fn cells(&self, row: &PodRow, look: &RowLook<'_>) -> Vec<Cell> {
        let or_dash = |text: &str| Cell::new(if text.is_empty() { "-" } else { text });
        let requests = self.share(Some(&row.name));
        let cells = vec![
            Cell::new(&row.name),
            Cell::new(&format!("{}/{}", row.ready, row.containers)),
            Cell::state(pod_tone(&row.status, row.is_ready), &row.status, look.theme),
            Cell::new(&row.restarts.to_string()),
            age_cell(row.created, look.now),
            or_dash(&row.version),
            or_dash(&row.ip),
            or_dash(&row.node),
        ];
        let requests = requests.map(|(own, all)| match look.first {
            true => Cell::new(&format!("{own}/{all}")),
            // The requests of another context are not counted here.
            false => Cell::new("-"),
        });
        cells.into_iter().chain(requests).collect()
    }

    fn empty(&self) -> &'static str {
        match self.of {
            None => "no pod in this namespace",
            Some(_) => "no pod of it in this namespace",
        }
    }

    fn title(&self, rows: &RowTable<PodRow>) -> String {
        match &self.of {
            Some(of) => format!("pods of {}", of.name),
            None if rows.is_empty() => self.id().to_owned(),
            None => format!("{} {}", self.id(), rows.len()),
        }
    }

    fn shown<'a>(&self, rows: &'a RowTable<PodRow>) -> Vec<&'a str> {
        let mine = |row: &PodRow| self.of.as_ref().is_none_or(|of| belongs(row, of));
        rows.iter().filter(|(_, row)| mine(row)).map(|(key, _)| key).collect()
    }

    fn folded(&self, rows: &RowTable<PodRow>) -> String {
        let bad = |row: &PodRow| pod_tone(&row.status, row.is_ready) == Tone::Bad;
        match rows.iter().filter(|(_, row)| bad(row)).count() {
            0 => self.title(rows),
            bad => format!("{}  ! {bad}", self.title(rows)),
        }
    }

    fn version(&self) -> u64 {
        self.samples.as_ref().map_or(0, |feed| feed.source().version())
    }

    fn empty_everywhere(&self) -> &'static str {
        match self.of {
            None => "no pod in any namespace",
            Some(_) => self.empty(),
        }
    }

    fn namespace_of<'r>(&'r self, row: &'r PodRow) -> Option<&'r str> {
        Some(row.namespace.as_str())
    }

    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        super::in_namespace(effect, namespace)
    }

    fn is_of_one_namespace(&self) -> bool {
        self.of.as_ref().is_some_and(|of| of.kind != "Node")
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&Self::Row>) -> Option<SafeText> {
        super::allowed::denied(&self.clients, context, action, ("", "pods"), true)
    }

    fn opens(&self) -> &'static str {
        // On the way down from a deployment the containers come next.
        if self.of.is_some() { "containers" } else { "logs" }
    }

    fn act(&self, action: &str, rows: &[PodRow]) -> Vec<Effect> {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        match action {
            "shell" => match rows {
                // Which of several containers is meant only the operator knows.
                [row] if row.containers > 1 => vec![
                    Effect::Show {
                        panel: objects::ID,
                        subject: target("Pod", &row.namespace, &row.name).into(),
                    },
                    Effect::Toast("it has several containers: s on one opens a shell there".into()),
                ],
                _ => super::shell(&names, None),
            },
            "containers" => rows.first().map_or_else(Vec::new, |row| {
                vec![Effect::Show {
                    panel: objects::ID,
                    subject: target("Pod", &row.namespace, &row.name).into(),
                }]
            }),
            other => super::common(other, "po", &names),
        }
    }

    fn subject(&self, row: &PodRow) -> Option<Target> {
        Some(target("Pod", &row.namespace, &row.name))
    }

    fn is(&self, row: &PodRow, subject: &Target) -> bool {
        *subject == target("Pod", &row.namespace, &row.name)
    }

    fn weight(&self) -> u16 {
        0
    }
}
