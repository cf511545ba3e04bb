use super::*;

#[test]
fn the_declarations_hold_together() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_of_a_mode_names_the_flags_that_it_takes() {
    let help = |mode: &[&str]| {
        let words = [&["cogdeck"], mode, &["--help"]].concat();
        let shown = parse(words.into_iter().map(Into::into)).unwrap_err();
        assert_eq!(shown.kind(), ErrorKind::DisplayHelp);
        shown.to_string()
    };
    let cases: [(&[&str], &[&str], &[&str]); 5] = [
        (&[], &["--theme", "--context", "--seed"], &[]),
        (&["run"], &["--context", "--sandbox", "--yes"], &["--theme", "--keymap"]),
        (
            &["sandbox"],
            &["--seed", "--speed", "--no-color", "--admin"],
            &["--sandbox", "--context", "--theme"],
        ),
        (&["bundle", "run"], &["--context", "--dry"], &["--seed", "--theme"]),
        (
            &["verbs"],
            &["--json", "--no-color"],
            &["--context", "--seed", "--theme"],
        ),
    ];
    // A word more is needed: the same help, unasked.
    let bundle = parse(["cogdeck", "bundle"].map(Into::into)).unwrap_err().to_string();
    assert!(
        bundle.contains("keygen") && !bundle.contains("--seed") && !bundle.contains("--theme"),
        "{bundle}"
    );
    for (mode, named, hidden) in cases {
        let help = help(mode);
        let names = |flag: &&&str| help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n"));
        let lost: Vec<_> = named.iter().filter(|flag| !names(flag)).collect();
        let left: Vec<_> = hidden.iter().filter(names).collect();
        assert!(lost.is_empty() && left.is_empty(), "{mode:?} {lost:?} {left:?}: {help}");
    }
}

#[test]
fn no_word_is_what_clap_makes_of_no_word() {
    let (ours, claps) = (parsed("cogdeck").unwrap(), Cli::parse_from(["cogdeck"]));
    assert!(ours.mode.is_none() && claps.mode.is_none());
    assert_eq!(ours.common, claps.common);
}

#[test]
fn a_pipeline_keeps_its_own_options() {
    let cli = Cli::parse_from([
        "cogdeck",
        "run",
        "--sandbox",
        "-o",
        "jsonl",
        "kubectl:get",
        "deploy",
        "-n",
        "web",
        "-o",
        "wide",
    ]);
    let Some(Mode::Run(run)) = cli.mode else { panic!("run") };
    assert_eq!(run.output, Format::Jsonl);
    assert_eq!(run.pipeline, ["kubectl:get", "deploy", "-n", "web", "-o", "wide"]);
    assert!(cli.common.sandbox);
}

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    parse(line.split(' ').map(std::ffi::OsString::from))
}

#[test]
fn flags_are_known_before_and_after_the_mode_and_refused_where_they_mean_nothing() {
    for line in [
        "cogdeck --sandbox --theme dark --keymap vim --context a",
        "cogdeck --sandbox --read-only run help",
        "cogdeck run --context a --speed 3 help --theme x",
        "cogdeck check --room r help",
        "cogdeck sandbox --speed 3 --seed 4",
        "cogdeck bundle run --config c.toml FILE x --sandbox",
        "cogdeck verbs --json",
    ] {
        assert!(parsed(line).is_ok(), "{line}");
    }
    for (line, told) in [
        ("cogdeck --theme dark run help", "--theme means nothing to cogdeck run"),
        ("cogdeck run --theme dark help", "--theme means nothing to cogdeck run"),
        (
            "cogdeck sandbox --sandbox",
            "--sandbox means nothing to cogdeck sandbox",
        ),
        (
            "cogdeck --read-only sandbox",
            "--read-only means nothing to cogdeck sandbox",
        ),
        ("cogdeck verbs --seed 3", "--seed means nothing to cogdeck verbs"),
        (
            "cogdeck bundle keygen --context a",
            "--context means nothing to cogdeck bundle keygen",
        ),
        (
            "cogdeck bundle run --sandbox FILE x",
            "--sandbox means nothing to cogdeck bundle run",
        ),
    ] {
        let error = parsed(line).unwrap_err();
        assert!(error.to_string().contains(told), "{line}: {error}");
        assert!(error.use_stderr());
    }
}

#[test]
fn the_help_tells_what_opens_the_console_and_what_the_environment_sets() {
    let help = parsed("cogdeck --help").unwrap_err().to_string();
    assert!(help.contains("Without a subcommand it opens the console"), "{help}");
    assert!(help.contains("COGDECK_BUNDLE_NAME__VAR"), "{help}");
}
