//! Makes the pictures of the README and the recording of the demo's three acts from the real program: `cargo bench
//! --bench pictures` writes `assets/rest.svg`, `assets/rollout.svg`, `assets/narrow.svg` and `assets/demo/talk.cast`
//! (asciicast v2, for asciinema). A console in a terminal is typed into; what the terminal then shows is drawn cell by
//! cell. The third act needs `kubectl`. `cargo test --release --bench pictures` does the same with the tests' build.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use support::process::COGDECK;
use support::terminal::{Key, Terminal};

const PATIENCE: Duration = Duration::from_secs(60);
/// A cell of a picture.
const CELL: (f64, f64) = (8.4, 17.0);
/// Colours of the background, the text, and the terminal's sixteen.
const BACK: &str = "#16181d";
const TEXT: &str = "#d5d8df";
const SIXTEEN: [&str; 16] = [
    "#16181d", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#5c6370", "#e88388",
    "#a8cf8e", "#ebcb8b", "#7cbcf2", "#d19ee6", "#6fc3cd", "#ffffff",
];

/// A recording that is larger makes nobody happy who clones the repository.
const LARGEST: usize = 450_000;

fn main() {
    // What the demo writes, it writes here. The recording shows the folder, so it always has the same name.
    let folder = tempfile::Builder::new().prefix("cogdeck-demo").rand_bytes(0).tempdir();
    let folder = folder.expect("a folder that a broken run may have left behind");
    std::env::set_current_dir(folder.path()).expect("the folder is there");
    let recording = record();
    assert!(recording.len() < LARGEST, "the recording has {} bytes", recording.len());
    std::fs::write(asset("demo/talk.cast"), recording).expect("assets can be written");
    println!("assets/demo/talk.cast");
    let narrow = Console::open(80, 24);
    narrow.deploy();
    narrow.line("kubectl:get deploy inspector");
    narrow.see("✓ done");
    narrow.wait("the answer", |screen| {
        screen.matches("✓ done").count() > 1 && screen.contains("555555555555")
    });
    narrow.picture("narrow.svg");
}

/// The demo in a wide terminal, as an asciicast; pictures are taken on the way.
fn record() -> String {
    let console = Console::open(140, 40);
    roll_out(&console);
    break_and_undo(&console);
    scale_from_outside(&console);
    console.rest(Duration::from_secs(2));
    console.cast()
}

/// Act one: from nothing to a rolling update that loses no request.
fn roll_out(console: &Console) {
    console.act("1: a rolling update");
    console.deploy();
    console.line("kubectl:expose deploy inspector --type=LoadBalancer");
    console
        .line("kubectl:wait svc inspector --for=jsonpath='{.status.loadBalancer.ingress[0].hostname}' --timeout=60s");
    console.see("condition met");
    console.line("let elb = kubectl:get svc inspector");
    console.line(
        "r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com $elb.status.loadBalancer.ingress[0].hostname --wait",
    );
    console.see("INSYNC");
    console.line("dig --short inspector.spawnhub.com");
    console.line("kubectl:scale deploy inspector --replicas=3");
    console.see_row("3/3", "✓ available");
    console.line("kubectl:get deploy inspector");
    console.see("555555555555");
    console.picture("rest.svg");
    console.line(
        r"traffic:watch http://inspector.spawnhub.com/net --match '100\.[0-9]+\.[0-9]+\.[0-9]+' --interval 200ms --until version=2.0.0 &",
    );
    console.see("last 20 requests");
    console.line("kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0");
    console.wait("both versions", |screen| {
        let counted = |version: &str| {
            let row = screen.lines().find_map(|row| Some(row.split_once(version)?.1))?;
            row.split_whitespace().next()?.parse().ok()
        };
        let told: [Option<usize>; 2] = ["a version 1.0.0", "b version 2.0.0"].map(counted);
        told.iter().all(|count| *count >= Some(5)) && !screen.contains("old -")
    });
    console.picture("rollout.svg");
    console.see_row("3/3", "✓ available");
    console.rest(Duration::from_secs(3));
}

/// Act two: a release that cannot start. The cause is named, the old pods serve on, one key takes it back.
fn break_and_undo(console: &Console) {
    console.act("2: a release that cannot start");
    console.line(
        r"traffic:watch http://inspector.spawnhub.com/net --match '100\.[0-9]+\.[0-9]+\.[0-9]+' --interval 500ms &",
    );
    console.line("kubectl:set image deploy inspector inspector=so0k/kuar-inspector:broken");
    console.see("the old 3/3 still serve");
    console.rest(Duration::from_secs(4));
    console.terminal.key(Key::Alt('3'));
    console.rest(Duration::from_secs(1));
    console.terminal.type_text("u");
    console.see("Enter applies it");
    console.rest(Duration::from_secs(3));
    console.terminal.key(Key::Enter);
    console.see("rolled back");
    console.terminal.type_text("i");
    console.wait("as before", |screen| {
        !screen.contains("still serve") && screen.contains("✓ available")
    });
    console.rest(Duration::from_secs(3));
}

/// Act three: somebody else changes something, with the cluster's own tool.
fn scale_from_outside(console: &Console) {
    console.act("3: somebody else");
    console.line("sandbox:kubeconfig kubeconfig");
    console.see("export KUBECONFIG=");
    console.line("# In another terminal: kubectl --kubeconfig kubeconfig scale deploy inspector --replicas=5");
    let kubectl = support::require("kubectl").expect("kubectl plays the third act");
    let scaled = std::process::Command::new(kubectl)
        .args([
            "--kubeconfig",
            "kubeconfig",
            "scale",
            "deploy",
            "inspector",
            "--replicas=5",
        ])
        .output()
        .expect("kubectl runs");
    assert!(scaled.status.success(), "{}", String::from_utf8_lossy(&scaled.stderr));
    console.see_row("5/5", "✓ available");
}

struct Console {
    terminal: Terminal,
    begun: Instant,
    size: (u16, u16),
    /// When which part of the output was there.
    marks: std::cell::RefCell<Vec<(f64, usize)>>,
    /// When which act began: players jump there.
    acts: std::cell::RefCell<Vec<(f64, &'static str)>>,
}

impl Console {
    fn open(columns: u16, rows: u16) -> Self {
        let envs = [("COLORTERM", "truecolor")];
        let terminal = Terminal::spawn(COGDECK, &["--sandbox", "--seed", "7"], &envs, columns, rows);
        let console = Console {
            terminal,
            begun: Instant::now(),
            size: (columns, rows),
            marks: Default::default(),
            acts: Default::default(),
        };
        console.see("Pipelines run in");
        console
    }

    fn act(&self, name: &'static str) {
        self.acts.borrow_mut().push((self.begun.elapsed().as_secs_f64(), name));
    }

    fn deploy(&self) {
        self.line("kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80");
        self.see("deployment.apps/inspector created");
    }

    /// Types as a person does, so that the recording can be read.
    fn line(&self, text: &str) {
        for symbol in text.chars() {
            self.terminal.type_text(&symbol.to_string());
            std::thread::sleep(Duration::from_millis(15));
            self.mark();
        }
        self.terminal.key(Key::Enter);
        self.rest(Duration::from_millis(800));
    }

    fn rest(&self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(40));
            self.mark();
        }
    }

    fn mark(&self) {
        self.marks
            .borrow_mut()
            .push((self.begun.elapsed().as_secs_f64(), self.terminal.mark()));
    }

    fn wait(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !seen(&self.terminal.screen()) {
            assert!(Instant::now() < end, "{what} does not come: {}", self.terminal.screen());
            self.rest(Duration::from_millis(40));
        }
    }

    fn see(&self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    fn see_row(&self, one: &str, other: &str) {
        self.wait(one, |screen| {
            screen.lines().any(|row| row.contains(one) && row.contains(other))
        });
    }

    fn picture(&self, name: &str) {
        std::fs::write(asset(name), svg(&self.terminal.view())).expect("assets can be written");
        println!("assets/{name}");
    }

    /// The output so far as asciicast v2: a header, then `[seconds, "o", text]` lines, and `[seconds, "m", name]` where
    /// an act begins.
    fn cast(&self) -> String {
        let raw = self.terminal.raw_output_since(0);
        let header = serde_json::json!({
            "version": 2, "width": self.size.0, "height": self.size.1, "env": {"TERM": "xterm-256color"},
            "title": "cogdeck: a rolling update, a broken release, a change from outside, in the sandbox",
        });
        let (mut text, mut from) = (format!("{header}\n"), 0);
        let acts = self.acts.borrow();
        let mut acts = acts.iter().peekable();
        for (seconds, to) in self
            .marks
            .borrow()
            .iter()
            .copied()
            .chain([(self.begun.elapsed().as_secs_f64(), raw.len())])
        {
            while let Some((at, name)) = acts.next_if(|(at, _)| *at <= seconds) {
                let line = serde_json::json!([(at * 1000.0).round() / 1000.0, "m", name]);
                writeln!(text, "{line}").expect("a string takes all");
            }
            // A character is never cut in two: what is not whole yet comes with the next part.
            let whole = whole_characters(raw.get(from..to).unwrap_or_default());
            if whole.is_empty() {
                continue;
            }
            from += whole.len();
            let line = serde_json::json!([(seconds * 1000.0).round() / 1000.0, "o", whole]);
            writeln!(text, "{line}").expect("a string takes all");
        }
        text
    }
}

fn whole_characters(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

fn asset(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

/// The screen as it stands: one rectangle a run of background, one text a run of equal cells.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (f64::from(columns) * CELL.0 + 16.0, f64::from(rows) * CELL.1 + 16.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, \
         'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" \
         fill=\"{BACK}\"/>\n"
    );
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            let Some(cell) = screen.cell(row, column) else { break };
            let look = Look::of(cell);
            let (mut text, first) = (String::new(), column);
            while let Some(cell) = screen
                .cell(row, column)
                .filter(|cell| column < columns && Look::of(cell) == look)
            {
                if !cell.is_wide_continuation() {
                    text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                }
                column += 1;
            }
            run(&mut out, &look, &text, first, column - first, row);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn run(out: &mut String, look: &Look, text: &str, column: u16, cells: u16, row: u16) {
    let (x, y) = (f64::from(column) * CELL.0 + 8.0, f64::from(row) * CELL.1 + 8.0);
    let wide = f64::from(cells) * CELL.0;
    if look.back != BACK {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            CELL.1, look.back
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let bold = if look.bold { " font-weight=\"bold\"" } else { "" };
    let dim = if look.dim { " opacity=\"0.65\"" } else { "" };
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" \
         fill=\"{}\"{bold}{dim}>{safe}</text>",
        y + 13.0,
        look.fore
    );
}

#[derive(PartialEq)]
struct Look {
    fore: String,
    back: String,
    bold: bool,
    dim: bool,
}

impl Look {
    fn of(cell: &vt100::Cell) -> Self {
        let (mut fore, mut back) = (colour(cell.fgcolor(), TEXT), colour(cell.bgcolor(), BACK));
        if cell.inverse() {
            std::mem::swap(&mut fore, &mut back);
        }
        Look {
            fore,
            back,
            bold: cell.bold(),
            dim: cell.dim(),
        }
    }
}

fn colour(colour: vt100::Color, default: &str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Idx(index @ 0..16) => SIXTEEN[usize::from(index)].to_owned(),
        // The cube of 6×6×6 colours and the ramp of greys, as xterm defines them.
        vt100::Color::Idx(index @ 16..232) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
            let at = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(at / 36), level(at / 6 % 6), level(at % 6))
        }
        vt100::Color::Idx(index) => {
            let grey = 8 + (index - 232) * 10;
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}
