//! Rows of several contexts in one list.

use super::*;
use crate::core::change::Target;
use crate::feed::HealthState;
use crate::lang::Stage;
use crate::ui::panel::testing::pipelines;

/// Services by name, each of a weight; `heavy` first.
struct Things(Hub);

#[derive(Clone)]
struct Thing {
    name: String,
    weight: u32,
}

impl Listing for Things {
    type Row = Thing;

    fn id(&self) -> &str {
        "things"
    }

    fn source(&self) -> &'static str {
        "test"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<Thing> {
        filled(&self.0, context, "things", Vec::new())
    }

    fn columns(&self, _: Option<&Thing>) -> Vec<Column> {
        vec![Column::new("NAME"), Column::new("WEIGHT").expendable(1)]
    }

    fn cells(&self, row: &Thing, _: &RowLook<'_>) -> Vec<Cell> {
        vec![Cell::new(&row.name), Cell::new(&row.weight.to_string())]
    }

    fn shown<'a>(&self, rows: &'a RowTable<Thing>) -> Vec<&'a str> {
        let mut all: Vec<_> = rows.iter().collect();
        all.sort_by_key(|(_, row)| std::cmp::Reverse(row.weight));
        all.into_iter().map(|(key, _)| key).collect()
    }

    fn order(&self, one: (&str, &Thing), other: (&str, &Thing)) -> std::cmp::Ordering {
        other.1.weight.cmp(&one.1.weight)
    }

    fn empty(&self) -> &'static str {
        "no things"
    }

    fn actions(&self) -> &'static [Action] {
        &[]
    }

    fn denied(&self, context: &Arc<Context>, action: &str, _: Option<&Thing>) -> Option<SafeText> {
        (context.name == "green" && action == "scale").then(|| "you may not".into())
    }

    fn opens(&self) -> &'static str {
        "show"
    }

    fn act(&self, action: &str, rows: &[Thing]) -> Vec<Effect> {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let stage = names.iter().fold(Stage::new(action), |stage, name| stage.arg(name));
        match action {
            "copy" => vec![Effect::Copy(SafeText::new(&names.join("\n")))],
            "show" => vec![Effect::Show {
                panel: "other",
                subject: target(names[0]).into(),
            }],
            _ => vec![Effect::Run(stage.into())],
        }
    }

    fn is(&self, row: &Thing, subject: &Target) -> bool {
        row.name == subject.name
    }

    fn subject(&self, row: &Thing) -> Option<Target> {
        Some(target(&row.name))
    }
}

fn target(name: &str) -> Target {
    Target {
        kind: "Thing".into(),
        scope: String::new(),
        name: name.into(),
    }
}

fn context(name: &str) -> Arc<Context> {
    Arc::new(Context::empty(name))
}

/// Two clusters, of which `web` is in both.
struct World {
    hub: Hub,
    blue: Subscription<Thing>,
    green: Subscription<Thing>,
    panel: ListPanel<Things>,
}

impl World {
    fn new() -> Self {
        let hub = Hub::new(Clock::real());
        let rows = |name: &str, rows: &[(&str, u32)]| {
            let thing = |(name, weight): &(&str, u32)| {
                let row = Thing {
                    name: (*name).to_owned(),
                    weight: *weight,
                };
                ((*name).to_owned(), row)
            };
            filled(
                &hub,
                &context(name),
                "things",
                rows.iter().map(thing).collect::<Vec<_>>(),
            )
        };
        let blue = rows("blue", &[("api", 3), ("web", 2)]);
        let green = rows("green", &[("db", 4), ("web", 2)]);
        let mut panel = ListPanel::new(Things(hub.clone()));
        panel.open_in(&both());
        World {
            hub,
            blue,
            green,
            panel,
        }
    }

    fn screen(&mut self, width: u16) -> Vec<String> {
        let rows = panel_rows(&mut self.panel, width, 8, Timestamp::UNIX_EPOCH);
        rows.into_iter().filter(|row| !row.is_empty()).collect()
    }

    /// Marks the row at this place.
    fn mark(&mut self, at: usize) {
        self.panel.key(PanelKey::Move(Motion::First));
        (0..at).for_each(|_| drop(self.panel.key(PanelKey::Move(Motion::Down))));
        self.panel.key(PanelKey::Mark);
    }
}

fn both() -> Scope {
    Scope::with(&context("blue"), &[context("green")])
}

#[tokio::test]
async fn rows_of_several_contexts_are_one_table_in_one_order() {
    let mut world = World::new();
    let rows = [
        "CONTEXT  NAME  WEIGHT",
        "green    db    4",
        "blue     api   3",
        "blue     web   2",
        "green    web   2",
    ];
    assert_eq!(world.screen(60), rows);
    assert_eq!(world.panel.title().as_str(), "things 4");
    // Told apart even where there is no room: another column leaves first.
    assert_eq!(world.screen(16)[4], "green    web");
    let grid = world.panel.grid(Which::All, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(grid.columns, ["CONTEXT", "NAME", "WEIGHT"]);
    assert_eq!(grid.rows[3], ["green", "web", "2"]);
    world.panel.filter("green !db");
    assert_eq!(
        world.screen(60)[1..],
        ["green    web   2"],
        "the context counts for a filter"
    );
    assert_eq!(world.screen(10)[0].trim_end(), "NAME", "of one context it says nothing");
    world.panel.filter("");
    // One context has no such column.
    world.panel.open(&context("green"));
    assert_eq!(world.screen(60), ["NAME  WEIGHT", "db    4", "web   2"]);
    assert_eq!(world.panel.health()[0].context, None);
}

#[tokio::test]
async fn a_selection_and_marks_stay_on_their_context_s_row() {
    let mut world = World::new();
    world.screen(60);
    world.panel.key(PanelKey::Move(Motion::Last));
    // Another row of blue's comes before it, and goes.
    let heavy = Thing {
        name: "heavy".into(),
        weight: 9,
    };
    world.blue.source().write(|rows| rows.upsert("heavy", heavy));
    world.screen(60);
    assert_eq!(
        pipelines(&world.panel.key(PanelKey::Act("describe"))),
        ["@green describe web"]
    );
    world.blue.source().write(|rows| drop(rows.remove("web")));
    world.screen(60);
    assert_eq!(
        pipelines(&world.panel.key(PanelKey::Act("describe"))),
        ["@green describe web"]
    );
    // The order of the contexts is another one: green is where lines run.
    world.panel.open_in(&Scope::with(&context("green"), &[context("blue")]));
    world.screen(60);
    assert_eq!(pipelines(&world.panel.key(PanelKey::Act("describe"))), ["describe web"]);
    world.panel.key(PanelKey::Mark);
    world.green.source().write(|rows| drop(rows.remove("web")));
    world.screen(60);
    assert_eq!(
        world.panel.title().as_str(),
        "things 3",
        "a row that goes takes its mark along"
    );
}

#[tokio::test]
async fn each_row_is_acted_on_in_its_own_context() {
    let mut world = World::new();
    world.screen(60);
    let subject = |world: &World| world.panel.subjects().unwrap().remove(0);
    assert_eq!(subject(&world), Subject::of(target("db"), &context("green")));
    let shown = Effect::Show {
        panel: "other",
        subject: Subject::of(target("db"), &context("green")),
    };
    assert_eq!(world.panel.key(PanelKey::Open), [shown]);
    world.panel.key(PanelKey::Move(Motion::Down));
    assert_eq!(subject(&world), target("api").into(), "lines run there anyway");
    // All marked rows: one line a context, one copy.
    world.mark(0);
    world.mark(2);
    world.mark(3);
    assert_eq!(
        pipelines(&world.panel.key(PanelKey::Act("describe"))),
        ["describe web", "@green describe db web"]
    );
    assert_eq!(
        world.panel.key(PanelKey::Act("copy")),
        [Effect::Copy(SafeText::new("web\ndb\nweb"))]
    );
    let denied: SafeText = "context green: you may not".into();
    assert_eq!(world.panel.denied("scale"), Some(denied.clone()));
    assert_eq!(world.panel.key(PanelKey::Act("scale")), [Effect::Toast(denied)]);
    world.panel.back();
    world.panel.key(PanelKey::Move(Motion::First));
    world.panel.key(PanelKey::Move(Motion::Down));
    assert_eq!(pipelines(&world.panel.key(PanelKey::Act("scale"))), ["scale api"]);
    // A change made elsewhere is followed where it was made, and only there.
    let red = Subject::of(target("web"), &context("red"));
    world.panel.focus_on(&red);
    assert_eq!(subject(&world), target("api").into());
    world.panel.focus_on(&Subject::of(target("web"), &context("green")));
    assert_eq!(subject(&world), Subject::of(target("web"), &context("green")));
}

#[tokio::test]
async fn the_state_of_each_context_is_its_own_and_none_is_hidden() {
    let mut world = World::new();
    let refused: Option<SafeText> = Some("connection refused".into());
    world.green.source().set_health(HealthState::Stale, refused.clone());
    let health = world.panel.health();
    let states: Vec<_> = health
        .iter()
        .map(|source| (source.context.clone(), source.health.state))
        .collect();
    assert_eq!(
        states,
        [
            (Some("blue".into()), HealthState::Live),
            (Some("green".into()), HealthState::Stale)
        ]
    );
    let screen = world.screen(60);
    assert!(
        screen
            .iter()
            .any(|row| row.starts_with("! green") && row.contains("db")),
        "{screen:?}"
    );
    assert!(
        screen.iter().any(|row| row.starts_with("blue") && row.contains("api")),
        "{screen:?}"
    );
    assert!(
        screen.contains(&"green: stale: connection refused".to_owned()),
        "{screen:?}"
    );
    // Without any row each that is not well says why.
    for feed in [&world.blue, &world.green] {
        feed.source().write(|rows| {
            rows.begin_list();
            rows.end_list();
        });
    }
    assert_eq!(world.screen(80), ["no things; green: stale: connection refused"]);
    world
        .blue
        .source()
        .set_health(HealthState::Denied, Some("list needs a role".into()));
    assert_eq!(
        world.screen(80),
        ["blue: denied: list needs a role; green: stale: connection refused"]
    );
}

#[tokio::test]
async fn one_context_beside_the_session_s_own_says_which_and_where_lines_run() {
    let mut world = World::new();
    let scope = both().only(&context("green"));
    world.panel.open_in(&scope);
    assert_eq!(world.screen(60), ["NAME  WEIGHT", "db    4", "web   2"]);
    assert_eq!(world.panel.title().as_str(), "things 2 @green");
    assert_eq!(world.panel.folded().as_str(), "things 2 @green");
    assert_eq!(world.panel.health()[0].context, Some("green".into()));
    assert_eq!(
        pipelines(&world.panel.key(PanelKey::Act("describe"))),
        ["@green describe db"]
    );
    world.panel.close();
    assert_eq!(world.screen(60), Vec::<String>::new());
    drop(world.hub);
}
