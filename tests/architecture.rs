//! Holds the code to the map: every arrow between rooms must stand in ARCHITECTURE.md's table. The tests below the
//! first two show that the judge really catches what it is there for.
#![allow(
    clippy::expect_used,
    reason = "a failed expectation is how a test fails, helpers of tests included"
)]

#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/rooms.rs"]
mod rooms;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use paths::{imports, module_of, tokens};
use rooms::Rooms;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names of the folders and files below `src/features`.
fn features_on_disk() -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(root().join("src/features")) else {
        return BTreeSet::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(String::from))
        .filter(|name| name != "mod")
        .collect()
}

fn rooms(features: BTreeSet<String>) -> Rooms {
    let document = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    Rooms::parse(&document, features).expect("a table of rooms")
}

/// The real table, over made-up features.
fn made_up() -> Rooms {
    rooms(["kubernetes", "aws", "ec2"].map(String::from).into())
}

#[test]
fn no_import_leaves_the_table_of_rooms() {
    let rooms = rooms(features_on_disk());
    let src = root().join("src");
    let files = sources(&src);
    assert!(
        files.contains(&src.join("sandbox/mod.rs")),
        "the walk misses files: {files:?}"
    );
    let mut violations = Vec::new();
    for path in files {
        let file = path
            .strip_prefix(&src)
            .expect("below src")
            .to_str()
            .expect("a UTF-8 name");
        let source = std::fs::read_to_string(&path).expect("a readable source");
        violations.extend(rooms.violations(file, &source));
    }
    assert!(
        violations.is_empty(),
        "not in ARCHITECTURE.md's table of rooms:\n{}",
        violations.join("\n")
    );
}

#[test]
fn every_arrow_of_the_table_is_used() {
    let src = root().join("src");
    let mut imported = Vec::new();
    for path in sources(&src) {
        let file = path
            .strip_prefix(&src)
            .expect("below src")
            .to_str()
            .expect("a UTF-8 name");
        let module = module_of(file);
        let source = std::fs::read_to_string(&path).expect("a readable source");
        let found = imports(&module, &tokens(&source)).into_iter();
        imported.extend(found.map(|import| (module.clone(), import.segments)));
    }
    let unused = rooms(features_on_disk()).unused(&imported);
    assert!(
        unused.is_empty(),
        "in ARCHITECTURE.md's table, and no line uses it:\n{}",
        unused.join("\n")
    );
}

#[test]
fn an_arrow_that_nothing_uses_is_caught() {
    let path = |text: &str| text.split('/').map(String::from).collect::<Vec<_>>();
    let used = [(path("verb/alias"), path("core/report"))];
    assert_eq!(made_up().unused(&used), ["`verb` -> `render`"]);
}

#[test]
fn nobody_imports_app() {
    assert_eq!(made_up().importers("app"), Vec::<String>::new());
    assert!(
        made_up().importers("core").contains(&"verb".to_owned()),
        "the question is answered at all"
    );
}

#[test]
fn forbidden_arrows_are_caught() {
    for (file, source) in [
        ("core/text.rs", "use crate::lang::ast::Pipeline;"),
        ("core/text.rs", "use crate::{core::report::Report, lang::ast};"),
        ("core/text.rs", "fn f() -> crate::engine::Plan { todo() }"),
        ("core/text.rs", "use super::super::verb::Verb;"),
        ("core/text.rs", "use crate::*;"),
        (
            "core/mod.rs",
            "mod tests { mod deep { use super::super::super::lang::ast; } }",
        ),
        (
            "core/mod.rs",
            "macro_rules! m { () => { $crate::lang::ast::Pipeline } }",
        ),
        ("lang/lexer.rs", "use crate::verb::Verb;"),
        ("verb/mod.rs", "use crate::app::run;"),
        ("engine/run.rs", "use crate::app::run;"),
        ("store/journal.rs", "use crate::engine::plan::Plan;"),
        ("sandbox/kubernetes/mod.rs", "use crate::core::record::Record;"),
        ("driver/mod.rs", "use crate::core::record::Record;"),
        (
            "features/ec2/verbs/list.rs",
            "use crate::features::kubernetes::client::Client;",
        ),
        (
            "features/ec2/verbs/list.rs",
            "use super::super::super::kubernetes::feed;",
        ),
        ("features/ec2/verbs/list.rs", "use crate::features::kubernetes;"),
        ("features/ec2/verbs/list.rs", "use crate::engine::plan::Plan;"),
        ("features/kubernetes/mod.rs", "use crate::sandbox::kubernetes::World;"),
        ("ui/console/shell.rs", "use crate::features::ec2::model::Row;"),
        ("ui/panel/mod.rs", "use crate::ui::console::App;"),
        ("ui/mod.rs", "use crate::core::text::SafeText;"),
        ("attic/mod.rs", ""),
        ("core/text.rs", "use crate::Error;"),
        ("render/table.rs", "use ratatui::text::Line;"),
        ("features/ec2/feed/mod.rs", "fn f(area: ratatui::layout::Rect) {}"),
        ("app/console.rs", "ratatui::restore();"),
        ("app/console.rs", "use tui_textarea::TextArea;"),
    ] {
        let violations = made_up().violations(file, source);
        assert_eq!(violations.len(), 1, "{file}: {source}: {violations:?}");
    }
}

#[test]
fn allowed_arrows_pass() {
    for (file, source) in [
        ("lib.rs", "pub mod core;"),
        ("main.rs", "fn main() { cogdeck::app::main(); }"),
        (
            "core/text.rs",
            "use super::report::Report; use crate::core::clock::Clock; use self::width::cut;",
        ),
        (
            "core/text.rs",
            "use std::fmt; pub(crate) fn f() {} pub(super) fn g() {}",
        ),
        ("core/text.rs", "mod tests { use super::*; }"),
        ("core/text.rs", "mod tests { fn f() {} } use super::report::Report;"),
        (
            "core/text.rs",
            "// crate::lang\n/* crate::lang /* nested */ crate::verb */ /// [`crate::engine::Plan`]\n",
        ),
        (
            "core/text.rs",
            r####"const A: &str = "crate::lang \" crate::lang"; const B: &str = r#"crate::lang" "#;"####,
        ),
        (
            "core/text.rs",
            r"fn f<'a>(x: &'a str) -> char { let q = '\''; let p = '\u{7f}'; '\\' }",
        ),
        (
            "verb/alias.rs",
            "use crate::core::{report::{Code, Report as Answer}, text::SafeText};",
        ),
        ("store/journal.rs", "use crate::engine::ports::Journal;"),
        ("features/mod.rs", "use crate::features::{ec2, kubernetes};"),
        (
            "features/ec2/verbs/list.rs",
            "use crate::features::ec2::client; use super::super::model; use crate::verb::Verb;",
        ),
        (
            "features/ec2/verbs/list.rs",
            "use crate::features::{Feature, aws::client::Shared, kubernetes::model::PodRow};",
        ),
        (
            "features/ec2/panel/mod.rs",
            "use ratatui::layout::Rect; use crate::ui::panel::Panel;",
        ),
        (
            "ui/console/app.rs",
            "use crate::{engine::run, ui::panel::Panel}; use ratatui::Frame;",
        ),
        ("ui/mod.rs", "pub mod panel;"),
        (
            "app/run.rs",
            "use crate::{engine::plan, features, sandbox::World, ui::headless};",
        ),
    ] {
        let violations = made_up().violations(file, source);
        assert!(violations.is_empty(), "{file}: {source}: {violations:?}");
    }
}

#[test]
fn a_violation_names_file_line_and_reason() {
    let violations = made_up().violations("core/text.rs", "\n\"a\nb\";\nuse crate::lang::ast;");
    assert_eq!(
        violations,
        ["src/core/text.rs:4: `crate::lang::ast`: room `core` may not import it"]
    );
}

#[test]
fn paths_are_made_absolute() {
    let found = |file: &str, source: &str| -> Vec<String> {
        imports(&module_of(file), &tokens(source))
            .iter()
            .map(|import| import.segments.join("::"))
            .collect()
    };
    assert_eq!(
        found("a/b.rs", "use super::{self, c::{D, e as f}, g::*};"),
        ["a", "a::c::D", "a::c::e", "a::g"]
    );
    assert_eq!(
        found("a/b/mod.rs", "crate::x::r#type::y::<crate::z::W>()"),
        ["x::type::y", "z::W"]
    );
    assert_eq!(
        found("a.rs", "mod t { mod u { use super::super::v; } use super::w; }"),
        ["a::v", "a::w"]
    );
    assert_eq!(found("a.rs", "use crate::{b, c,};"), ["b", "c"]);
}

#[test]
fn a_broken_table_is_refused() {
    let table = |rows: &str| {
        let document = format!("<!-- rooms -->\n| room | may import |\n|---|---|\n{rows}\n<!-- /rooms -->");
        Rooms::parse(&document, BTreeSet::new()).map(|_| ())
    };
    assert_eq!(table("| `core` | nothing of ours |\n| `lang` | `core` |"), Ok(()));
    for (rows, reason) in [
        ("", "empty"),
        ("| `core` | `attic` |", "no room"),
        ("| `core` | |", "nothing of ours"),
        ("| `core` | nothing of ours |\n| `core` | nothing of ours |", "twice"),
        ("| `core` |", "two cells"),
    ] {
        let error = table(rows).expect_err(rows);
        assert!(error.contains(reason), "{rows}: {error}");
    }
    assert!(Rooms::parse("| core | everything |", BTreeSet::new()).is_err());
}
