//! The panel `dns`: the records of the account's zones. A value is never cut without a mark, and the selected row shows
//! all of its values whole.

use std::sync::Arc;

use serde_json::{Value, json};

use super::model::{DnsRow, RecordSet, canonical_name, unescaped};
use super::{Service, feed};
use crate::core::change::Target;
use crate::core::context::{Cloud, Context};
use crate::core::text::{SafeText, safe_line};
use crate::feed::{RowTable, Subscription};
use crate::lang::ast::{Path, Pipeline, Root, Stage, Word};
use crate::ui::panel::list::{ListPanel, Listing, RowLook, apart_by};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Meaning, Tone};

/// The list of records.
pub struct Records {
    service: Service,
}

/// The panel, which shows nothing until it is opened.
pub(super) fn panel(service: Service) -> ListPanel<Records> {
    ListPanel::new(Records { service })
}

const ACTIONS: [Action; 3] = [
    Action::new("dig", 'd', "dig"),
    Action::new("delete", 'D', "delete"),
    Action::new("copy", 'y', "copy value"),
];

impl Listing for Records {
    type Row = DnsRow;

    fn id(&self) -> &'static str {
        "dns"
    }

    fn source(&self) -> &'static str {
        "route53"
    }

    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        apart_by(contexts, |context| &context.aws)
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<DnsRow> {
        feed::subscribe(&self.service, context)
    }

    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        self.service.clients.cloud(context)
    }

    fn columns(&self, _: Option<&DnsRow>) -> Vec<Column> {
        vec![
            Column::new("NAME").shortening(16),
            Column::new("TYPE"),
            Column::new("TTL").right().expendable(1),
            Column::new("VALUE").wrapping(30),
        ]
    }

    fn cells(&self, row: &DnsRow, look: &RowLook<'_>) -> Vec<Cell> {
        match row {
            DnsRow::Zone { zone, .. } => vec![
                Cell::styled(zone.name.trim_end_matches('.'), Meaning::Strong),
                Cell::styled(if zone.private { "private" } else { "public" }, Meaning::Dim),
                Cell::new(""),
                Cell::styled(&remark(row).unwrap_or_default(), Meaning::StateWarn),
            ],
            DnsRow::Record { set, pending, .. } => vec![
                Cell::new(unescaped(&set.name).trim_end_matches('.')),
                Cell::new(&set.kind),
                Cell::new(&set.ttl.map_or_else(|| "-".to_owned(), |ttl| ttl.to_string())),
                values(set, *pending, look),
            ],
        }
    }

    fn empty(&self) -> &'static str {
        "no hosted zone in this account"
    }

    fn title(&self, rows: &RowTable<DnsRow>) -> String {
        let records = rows.iter().filter(|(_, row)| !is_zone(row)).count();
        let mut zones = rows.iter().filter_map(|(_, row)| match row {
            DnsRow::Zone { zone, .. } => Some(zone),
            DnsRow::Record { .. } => None,
        });
        match (zones.next(), zones.count()) {
            (None, _) => "dns".to_owned(),
            (Some(only), 0) => format!("dns {} {records}", only.name.trim_end_matches('.')),
            (Some(_), more) => format!("dns {} zones {records}", more + 1),
        }
    }

    /// Zones are rows of their own only where there is something to say about them.
    fn shown<'a>(&self, rows: &'a RowTable<DnsRow>) -> Vec<&'a str> {
        let several = rows.iter().filter(|(_, row)| is_zone(row)).count() > 1;
        rows.iter()
            .filter(|(_, row)| several || !is_zone(row) || remark(row).is_some())
            .map(|(key, _)| key)
            .collect()
    }

    fn actions(&self) -> &'static [Action] {
        &ACTIONS
    }

    fn opens(&self) -> &'static str {
        "dig"
    }

    fn act(&self, action: &str, rows: &[DnsRow]) -> Vec<Effect> {
        let records: Vec<(&str, &RecordSet)> = rows
            .iter()
            .filter_map(|row| match row {
                DnsRow::Record { zone, set, .. } => Some((zone.as_str(), set)),
                DnsRow::Zone { .. } => None,
            })
            .collect();
        let mut zones = rows.iter().filter_map(|row| match row {
            DnsRow::Zone { zone, .. } => Some(zone.name.as_str()),
            DnsRow::Record { .. } => None,
        });
        if let Some(zone) = zones.next() {
            return of_zones(action, zone, rows.len() > 1);
        }
        match action {
            "dig" => vec![Effect::Run(for_each(
                &records,
                Stage::new("net:dig"),
                |stage, field| stage.with(field("query")).with(field("type")),
            ))],
            "delete" => {
                let stage = Stage::new("r53:record-delete");
                vec![Effect::Run(for_each(&records, stage, |stage, field| {
                    let stage = stage.option("--zone", None).with(field("zone"));
                    stage.option("--type", None).with(field("type")).with(field("name"))
                }))]
            }
            "copy" => {
                let values = |(_, set): &(&str, &RecordSet)| match &set.alias {
                    Some(alias) => safe_line(&alias.host),
                    None => set
                        .values
                        .iter()
                        .map(|value| safe_line(value))
                        .collect::<Vec<_>>()
                        .join("\n"),
                };
                let all: Vec<String> = records.iter().map(values).collect();
                vec![Effect::Copy(SafeText::new(&all.join("\n")))]
            }
            _ => Vec::new(),
        }
    }

    fn subject(&self, row: &DnsRow) -> Option<Target> {
        let DnsRow::Record { zone, set, .. } = row else {
            return None;
        };
        Some(Target {
            kind: set.kind.clone(),
            scope: zone.clone(),
            name: unescaped(&set.name).trim_end_matches('.').to_owned(),
        })
    }

    fn is(&self, row: &DnsRow, subject: &Target) -> bool {
        subject.kind == "RecordSet"
            && matches!(row, DnsRow::Record { zone, set, .. }
                if *zone == subject.scope && canonical_name(&set.name) == canonical_name(&subject.name))
    }

    fn minimum(&self) -> (u16, u16) {
        (30, 4)
    }
}

/// What an action does on a row that tells about a zone, alone or among other marked rows.
fn of_zones(action: &str, zone: &str, among_others: bool) -> Vec<Effect> {
    let zone = zone.trim_end_matches('.');
    let told = |text: &str| vec![Effect::Toast(SafeText::line(text))];
    match action {
        _ if among_others => told(&format!("{zone} is a zone and no record: take its mark back")),
        "dig" => vec![Effect::Run(Stage::new("net:dig").arg(zone).arg("NS").into())],
        "copy" => vec![Effect::Copy(SafeText::line(zone))],
        _ => told(&format!("{zone} is a zone: only records are deleted here")),
    }
}

/// One command for records: for one with its values in their places, for several fed by them, `seed … | net:dig $name
/// $type`: one pipeline, so that one plan shows them all.
fn for_each(
    records: &[(&str, &RecordSet)],
    stage: Stage,
    fill: impl Fn(Stage, &dyn Fn(&str) -> Word) -> Stage,
) -> Pipeline {
    let fields = |(zone, set): &(&str, &RecordSet)| {
        let name = unescaped(&set.name);
        json!({"zone": zone, "type": set.kind, "name": name.trim_end_matches('.'), "query": name})
    };
    let seeds: Vec<Value> = records.iter().map(fields).collect();
    match seeds.as_slice() {
        [only] => fill(stage, &|field| Word::text(only[field].as_str().unwrap_or_default())).into(),
        several => {
            let seed = Stage::new("seed").arg(&Value::from(several).to_string());
            let mut pipeline = Pipeline::from(seed);
            let incoming = |field: &str| {
                Word::variable(Path {
                    root: Root::Name(field.to_owned()),
                    steps: Vec::new(),
                })
            };
            pipeline.stages.push(fill(stage, &incoming));
            pipeline
        }
    }
}

/// A row is a line, with one value and how many more there are; the open row shows all of them whole, one a line.
fn values(set: &RecordSet, pending: bool, look: &RowLook<'_>) -> Cell {
    let meaning = if pending { Meaning::StateProgress } else { Meaning::Text };
    let mark = match pending {
        true => format!("{} pending ", look.theme.glyphs.of(Tone::Progress)),
        false => String::new(),
    };
    match (&set.alias, set.values.as_slice(), look.open) {
        (None, [first, more @ ..], true) => {
            let first = format!("{mark}{first}");
            let lines = std::iter::once(first.as_str()).chain(more.iter().map(String::as_str));
            Cell::lines(lines, meaning)
        }
        (None, [first, more @ ..], false) if !more.is_empty() => {
            Cell::styled(&format!("{mark}{first} +{}", more.len()), meaning).single()
        }
        (.., true) => Cell::styled(&format!("{mark}{}", set.value_line()), meaning),
        (.., false) => Cell::styled(&format!("{mark}{}", set.value_line()), meaning).single(),
    }
}

fn is_zone(row: &DnsRow) -> bool {
    matches!(row, DnsRow::Zone { .. })
}

/// What has to be said about a zone: why it is empty here, or that not all of it is.
fn remark(row: &DnsRow) -> Option<String> {
    match row {
        DnsRow::Zone { error: Some(error), .. } => Some(error.clone()),
        DnsRow::Zone { zone, kept, .. } => {
            let all = zone.count.and_then(|count| usize::try_from(count).ok())?;
            (all > *kept).then(|| format!("the first {kept} of {all} records"))
        }
        DnsRow::Record { .. } => None,
    }
}

#[cfg(test)]
mod tests;
