//! What every list does alike: opening, marks, what is copied.

mod several;

use super::*;
use crate::core::clock::Clock;
use crate::feed::{Hub, Subscription};
use crate::ui::panel::Motion;
use crate::ui::panel::testing::{filled, panel_rows};

/// Names, of which `denied` may not be opened.
struct Names {
    hub: Hub,
    denied: bool,
}

impl Listing for Names {
    type Row = String;

    fn id(&self) -> &str {
        "names"
    }

    fn source(&self) -> &'static str {
        "test"
    }

    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<String> {
        let rows = ["alpha", "beta", "gamma"].map(|name| (name.to_owned(), name.to_owned()));
        filled(&self.hub, context, "names", rows)
    }

    fn columns(&self, _: Option<&String>) -> Vec<Column> {
        vec![Column::new("NAME")]
    }

    fn cells(&self, row: &String, _: &RowLook<'_>) -> Vec<Cell> {
        vec![Cell::new(row)]
    }

    fn empty(&self) -> &'static str {
        "no names"
    }

    fn actions(&self) -> &'static [Action] {
        &[]
    }

    fn denied(&self, _: &Arc<Context>, action: &str, _: Option<&String>) -> Option<SafeText> {
        (self.denied && action == "open").then(|| "you may not open it".into())
    }

    fn opens(&self) -> &'static str {
        "open"
    }

    fn act(&self, action: &str, rows: &[String]) -> Vec<Effect> {
        vec![Effect::Copy(SafeText::line(&format!("{action} {}", rows.join(" "))))]
    }
}

fn panel(denied: bool) -> ListPanel<Names> {
    let hub = Hub::new(Clock::real());
    let mut panel = ListPanel::new(Names { hub, denied });
    panel.open(&Arc::new(Context::empty("test")));
    panel_rows(&mut panel, 40, 6, Timestamp::UNIX_EPOCH);
    panel
}

#[tokio::test]
async fn enter_and_a_click_do_what_the_key_does_and_nothing_that_is_not_allowed() {
    let ways = [PanelKey::Open, PanelKey::At(1), PanelKey::Act("open")];
    for way in ways {
        assert_eq!(panel(false).key(way), [Effect::Copy("open alpha".into())], "{way:?}");
        assert_eq!(
            panel(true).key(way),
            [Effect::Toast("you may not open it".into())],
            "{way:?}"
        );
    }
}

#[tokio::test]
async fn marks_that_a_filter_hides_are_meant_by_nothing_and_no_other_row_is_instead() {
    let mut panel = panel(false);
    panel.key(PanelKey::Mark);
    assert_eq!(panel.title().as_str(), "names 3  1 marked");
    // Nothing is drawn in between: keys may come at once.
    panel.filter("beta");
    assert_eq!(panel.title().as_str(), "names 3  /beta 1  0 of 1 marked");
    let hidden: SafeText = "the filter hides the marked rows".into();
    assert_eq!(panel.key(PanelKey::Act("copy")), [Effect::Toast(hidden.clone())]);
    assert_eq!(panel.subjects(), Err(hidden.clone()));
    assert_eq!(panel.grid(Which::All, Timestamp::UNIX_EPOCH), Err(hidden));
    let one = panel.grid(Which::Selected, Timestamp::UNIX_EPOCH).map(|grid| grid.rows);
    assert_eq!(
        one,
        Ok(vec![vec!["beta".to_owned()]]),
        "a cell is of the row that is selected"
    );
    panel.filter("");
    let rows = panel.grid(Which::All, Timestamp::UNIX_EPOCH).map(|grid| grid.rows);
    assert_eq!(rows, Ok(vec![vec!["alpha".to_owned()]]), "of all the marked one");
}

#[tokio::test]
async fn a_long_filter_leaves_room_in_the_title_for_how_many_rows_it_found() {
    let mut panel = panel(false);
    panel.filter(&"alp".repeat(1_000));
    assert_eq!(panel.title().as_str(), "names 3  /alpalpalpalpalpalpalpal… 0");
    let rows = panel_rows(&mut panel, 60, 6, Timestamp::UNIX_EPOCH);
    assert!(rows.iter().any(|row| row.contains("none of 3 has /alp")), "{rows:?}");
}

#[tokio::test]
async fn a_list_tells_which_of_its_rows_are_drawn_where_not_all_are() {
    let mut panel = panel(false);
    assert_eq!(panel.window(), None, "all fit");
    panel_rows(&mut panel, 40, 3, Timestamp::UNIX_EPOCH);
    assert_eq!(panel.window(), Some((1, 2, 3)));
    panel.key(PanelKey::Move(Motion::Last));
    panel_rows(&mut panel, 40, 3, Timestamp::UNIX_EPOCH);
    assert_eq!(panel.window(), Some((2, 3, 3)));
    panel.filter("gamma");
    panel_rows(&mut panel, 40, 3, Timestamp::UNIX_EPOCH);
    assert_eq!(panel.window(), None);
}

#[tokio::test]
async fn a_key_on_no_row_says_so() {
    let mut panel = panel(false);
    panel.filter("nothing has this");
    for way in [PanelKey::Open, PanelKey::Act("open")] {
        assert_eq!(panel.key(way), [Effect::Toast(NO_ROW.into())], "{way:?}");
    }
}
