//! The command line: flags and subcommands as clap declares them. What they lead to is in the file of each mode.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Variables of the environment that are ours; below the help.
const ENVIRONMENT: &str = "\
Environment (a flag wins over all of it):
  COGDECK_CONFIG, COGDECK_CONTEXT, COGDECK_THEME, COGDECK_KEYMAP   as the flags; they win over the configuration
  COGDECK_NAMESPACE, COGDECK_ROOM   as the flags, where the configuration's entry of the context names none
  COGDECK_KUBE_CONTEXT          kube context, where the entry names none
  COGDECK_DNS                   DNS server, IP:PORT, where the entry names none
  COGDECK_IDENTITY              the key, or its file, of the secret values of bundles
  COGDECK_BUNDLE_NAME__VAR      variable VAR of the bundle NAME
  COGDECK_ADMIN_URL, COGDECK_ADMIN_TOKEN   of `cogdeck sandbox --admin FILE`
KUBECONFIG, AWS_*, DOCKER_HOST, http_proxy, NO_PROXY, NO_COLOR, PAGER, EDITOR are read as their owners define them.";

/// A full-screen terminal console for operators. Without a subcommand it opens the console.
#[derive(Debug, Parser)]
#[command(
    name = "cogdeck",
    version,
    after_help = ENVIRONMENT,
    max_term_width = 110,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub mode: Option<Mode>,
    /// Flags of every mode.
    #[command(flatten)]
    pub common: Common,
}

/// What `--speed` and `--seed` are when nobody gives them.
const SPEED: f64 = 1.0;
const SEED: u64 = 1;

/// Flags of more than one mode: a mode that has no use for one refuses it, but for `--no-color`, which is never wrong.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct Common {
    /// Run in the built-in world: a closed one, started in this process
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// How much faster than real the sandbox's pods, load balancers and DNS changes are
    #[arg(long, global = true, value_name = "X", default_value_t = SPEED, value_parser = speed)]
    pub speed: f64,
    /// Repeats the sandbox's names, addresses and random choices
    #[arg(long, global = true, value_name = "N", default_value_t = SEED)]
    pub seed: u64,
    /// The context to act on: an entry of the configuration, or a kube context
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Kubernetes namespace
    #[arg(long, short = 'n', global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Room whose layer of bundle configuration applies
    #[arg(long, global = true, value_name = "NAME")]
    pub room: Option<String>,
    /// Refuse every change, locked for the whole process
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Configuration file instead of the one in the configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Theme of the console: a built-in name, one of the folder themes/, a TOML file, or auto (as the terminal's
    /// background is); files are read again when they change
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Keymap of the console: a built-in name, one of the folder keymaps/, or a TOML file; read again when it changes
    #[arg(long, global = true, value_name = "NAME")]
    pub keymap: Option<String>,
    /// No colour (as NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// No flag at all.
impl Default for Common {
    fn default() -> Self {
        Common {
            sandbox: false,
            speed: SPEED,
            seed: SEED,
            context: None,
            namespace: None,
            profile: None,
            region: None,
            room: None,
            read_only: false,
            config: None,
            theme: None,
            keymap: None,
            no_color: false,
        }
    }
}

const PLACE: [&str; 7] = [
    "context",
    "namespace",
    "profile",
    "region",
    "room",
    "read_only",
    "config",
];
const WORLD: [&str; 3] = ["sandbox", "speed", "seed"];
const LOOKS: [&str; 2] = ["theme", "keymap"];

/// Reads the command line of the process. No word at all needs no reading: the console opens the sooner.
///
/// # Errors
/// As clap tells them, help and version among them; a flag that the mode has no use for is refused.
pub fn parse(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let words: Vec<std::ffi::OsString> = words.into_iter().collect();
    if words.len() < 2 {
        return Ok(Cli {
            mode: None,
            common: Common::default(),
        });
    }
    let mut command = Cli::command();
    let matches = match command.try_get_matches_from_mut(&words) {
        // The help of a mode names the flags that it takes.
        Err(error) if is_help(error.kind()) => fitting().try_get_matches_from_mut(&words)?,
        matches => matches?,
    };
    let mut levels = vec![&matches];
    let mut path = Vec::new();
    while let Some((name, below)) = levels.last().and_then(|level| level.subcommand()) {
        path.push(name);
        levels.push(below);
    }
    let given = |id: &&str| {
        let typed = |level: &&ArgMatches| {
            level.try_contains_id(id).unwrap_or(false) && level.value_source(id) == Some(ValueSource::CommandLine)
        };
        levels.iter().any(typed)
    };
    if let Some(flag) = unused(&path).into_iter().find(given) {
        let (flag, mode) = (flag.replace('_', "-"), path.join(" "));
        let message = format!("--{flag} means nothing to cogdeck {mode}");
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// What is told in place of an error: asked for, or because the mode takes a word more.
fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The common flags that the mode at this path has no use for.
fn unused(path: &[&str]) -> Vec<&'static str> {
    let place = PLACE.iter();
    match path {
        [] => Vec::new(),
        ["run" | "check"] => LOOKS.to_vec(),
        ["sandbox"] => place.chain(&LOOKS).chain(["sandbox"].iter()).copied().collect(),
        ["bundle", "run"] => WORLD.iter().chain(&LOOKS).copied().collect(),
        _ => place.chain(&WORLD).chain(&LOOKS).copied().collect(),
    }
}

/// The command line with each mode's help fitting the mode.
fn fitting() -> Command {
    fn fit(command: Command, path: &[&str]) -> Command {
        let hides = unused(path);
        let command = command.mut_args(
            |arg| match hides.contains(&arg.get_id().as_str()) && arg.is_global_set() {
                true => arg.hide(true),
                false => arg,
            },
        );
        command.mut_subcommands(|below| {
            let name = below.get_name().to_owned();
            fit(below, &[path, &[name.as_str()]].concat())
        })
    }
    let mut command = Cli::command();
    // Only then do the flags of all modes stand in each.
    command.build();
    fit(command, &[])
}

/// The modes besides the console.
#[derive(Debug, Subcommand)]
pub enum Mode {
    /// Run a pipeline, or a script, without the console
    Run(Run),
    /// Check a pipeline and show its plan; runs nothing
    Check(Check),
    /// Serve the built-in world for other programs until interrupted
    Sandbox(SandboxArgs),
    /// Check the manifest of a bundle, try one of its commands, or make the key for its secrets
    Bundle(Bundle),
    /// The table of commands
    Verbs(Verbs),
}

/// `cogdeck run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The pipeline (several words are joined by blanks); `@A,B COMMAND` runs a command in several contexts at once,
    /// `@* COMMAND` in all
    #[arg(
        value_name = "PIPELINE",
        required_unless_present = "file",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub pipeline: Vec<String>,
    /// A script: one pipeline a line, `#` starts a comment line; checked whole before line 1
    #[arg(short, long, value_name = "FILE", conflicts_with = "pipeline")]
    pub file: Option<PathBuf>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Approve changes of class destroy and fleet
    #[arg(long)]
    pub yes: bool,
    /// Approve changes of up to N targets, refuse more
    #[arg(long, value_name = "N")]
    pub max_targets: Option<usize>,
    /// Give up after this many seconds (exit code 124)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<std::time::Duration>,
    /// Records for the first stage: JSON lines, or `-` for stdin
    #[arg(long, value_name = "JSON|-")]
    pub input: Option<String>,
    /// What a failed record does to those after it
    #[arg(long, value_enum, default_value_t = OnError::Stop)]
    pub on_error: OnError,
    /// Go on with the script after a line failed
    #[arg(long)]
    pub keep_going: bool,
}

/// `cogdeck check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The pipeline (several words are joined by blanks); `@A,B COMMAND` runs a command in several contexts at once,
    /// `@* COMMAND` in all
    #[arg(
        value_name = "PIPELINE",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub pipeline: Vec<String>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `cogdeck sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Write a kubeconfig here (0600; never over a file the sandbox did not write)
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Write a shell file of exports here (0600)
    #[arg(long, value_name = "FILE", requires = "kubeconfig")]
    pub env: Option<PathBuf>,
    /// Write URL and token of the fault injection API here (0600)
    #[arg(long, value_name = "FILE")]
    pub admin: Option<PathBuf>,
    /// Deployments of the load world
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub deployments: usize,
    /// Pods of the load world, shared by its deployments
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pods: usize,
    /// Nodes besides those of the cluster
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub nodes: usize,
    /// Pod status changes a second
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub events: usize,
    /// First of five ports in a row, the same at every start: Kubernetes, AWS, DNS, proxy, admin (0: free ones)
    #[arg(long, value_name = "PORT", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=65_531))]
    pub port: u16,
    /// A deleted pod dies at once instead of draining, as the original program did
    #[arg(long)]
    pub drain_race: bool,
}

/// `cogdeck bundle`.
#[derive(Debug, Args)]
pub struct Bundle {
    /// What to do with it
    #[command(subcommand)]
    pub action: BundleAction,
}

/// What can be done with a manifest.
#[derive(Debug, Subcommand)]
pub enum BundleAction {
    /// Check a manifest and show what is in it
    Validate {
        /// The manifest (YAML or JSON), or the folder that holds it
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make the key that secret values of bundles are kept with
    Keygen,
    /// Run one command in isolation and show what its process gets and what its answer is read as
    Run(BundleRun),
}

/// `cogdeck bundle run`.
#[derive(Debug, Args)]
pub struct BundleRun {
    /// The manifest (YAML or JSON), or the folder that holds it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The command, then its arguments and options; `--input` and `--dry` may stand among them
    #[arg(
        value_name = "COMMAND [ARGS…]",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<String>,
    /// The records: JSON values one after another, or `-` for stdin; one invocation each
    #[arg(long, value_name = "JSON|-")]
    pub input: Option<String>,
    /// Show what would be sent, run nothing
    #[arg(long)]
    pub dry: bool,
    /// A variable of the bundle's configuration; without a value that of our own environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub set: Vec<String>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Approve it also where the context is marked production
    #[arg(long)]
    pub yes: bool,
    /// Give up after this many seconds (exit code 124)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<std::time::Duration>,
}

/// `cogdeck verbs`.
#[derive(Debug, Args)]
pub struct Verbs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What `run` and `check` print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Rendered for people
    Text,
    /// One array a pipeline
    Json,
    /// One record a line, as produced
    Jsonl,
}

/// What a failed record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Ends the pipeline after delivering what came before
    Stop,
    /// Is reported, the others go on
    Continue,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 1000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds < 1e9 => Ok(std::time::Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests;
