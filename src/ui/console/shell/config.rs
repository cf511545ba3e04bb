//! What a console is made of, as the composition root hands it over. Nothing here does anything.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::ByBackground;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::feed::Hub;
use crate::ui::console::app::Dress;
use crate::ui::console::arrangement::Arrangement;
use crate::ui::console::keymap::Keymap;
use crate::ui::console::pin::Pinned;
use crate::ui::console::ports::{Runner, StartSandbox};
use crate::ui::panel::{Panel, Theme};

/// Reads the theme of a name: a preset, or a file of the operator's.
pub type Themes = Arc<dyn Fn(&str) -> Result<(Theme, Vec<Report>), Report> + Send + Sync>;

/// Begins to watch the files of theme and keymap, inside a Tokio runtime: each that has changed comes, read again.
pub type Dresses = Box<dyn FnOnce() -> mpsc::Receiver<Dress> + Send>;

/// What a console is made of.
pub struct ConsoleConfig {
    /// Runs pipelines; also gives context, catalogue and history.
    pub runner: Arc<dyn Runner>,
    /// Tells when any feed changed.
    pub hub: Hub,
    /// The panels, in their order.
    pub panels: Vec<Box<dyn Panel>>,
    /// The theme, already without colour where that was asked for.
    pub theme: Theme,
    /// Gives the theme of a name, as that of the start was given; reads files, so it may block.
    pub themes: Themes,
    /// What the terminal's background chooses from, where the terminal is to be asked for it.
    pub by_background: Option<ByBackground>,
    /// The keys.
    pub keymap: Keymap,
    /// The clock.
    pub clock: Clock,
    /// Who sits here.
    pub user: String,
    /// `--read-only`.
    pub read_only: bool,
    /// Starts the sandbox, for a console with nothing configured.
    pub sandbox: Option<Arc<dyn StartSandbox>>,
    /// Programs of the operator's that the console may start by his own key.
    pub programs: Programs,
    /// The terminal is reached over a network: fewer frames.
    pub remote: bool,
    /// Theme and keymap files that have changed, read again.
    pub dresses: Option<Dresses>,
    /// What the operator made of the screen before.
    pub arrangement: Arrangement,
    /// Pipelines that were pinned before.
    pub pinned: Vec<Pinned>,
    /// The folder where both are kept; none: nowhere.
    pub remember: Option<PathBuf>,
    /// Run behind the first frame, which does not need it: afterwards the session may know more commands. What it could
    /// not do is told.
    pub behind: Option<BoxFuture<'static, Vec<Report>>>,
    /// Things to tell once it is open: what was wrong in a theme or keymap file.
    pub remarks: Vec<Report>,
}

/// Programs of the operator's, each with its arguments.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Shows a text given on its stdin: `$PAGER`.
    pub pager: Vec<String>,
    /// Changes a file named as its last argument: `$EDITOR`.
    pub editor: Vec<String>,
    /// The folder for that file; none: the system's own.
    pub scratch: Option<PathBuf>,
    /// Takes a text for the clipboard on its stdin, beside what the terminal itself is asked for.
    pub clipboard: Option<Vec<String>>,
}
