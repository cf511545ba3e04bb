//! Help pages from declarations, as running text: one for all bundles, one a bundle, one a command. Sections without
//! content are left out.

use crate::render::prose::Paragraph;
use crate::verb::{BundleInfo, Catalogue, Declaration, OptionKind, OptionSpec, Positional};

/// More optional options than this are shown as `[options]` in a synopsis.
const MOST_OPTIONAL: usize = 5;

/// What somebody does first: the command, what for, the line.
const FIRST: [((&str, &str), &str, &str); 5] = [
    (
        ("kubectl", "run"),
        "run something",
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80 --replicas=3",
    ),
    (("kubectl", "get"), "look at it", "kubectl:get deploy inspector"),
    (
        ("kubectl", "expose"),
        "give it an address",
        "kubectl:expose deploy inspector --type=LoadBalancer",
    ),
    (
        ("traffic", "watch"),
        "see who answers: Tab offers its address, net behind it is the page",
        "traffic:watch http://ADDRESS/net",
    ),
    (
        ("kubectl", "set-image"),
        "roll out another version",
        "kubectl:set-image deploy/inspector inspector=so0k/kuar-inspector:2.0.0",
    ),
];

/// The page of all bundles.
pub fn overview(catalogue: &Catalogue) -> Vec<Paragraph> {
    let mut page = Page::default();
    let steps = FIRST
        .iter()
        .filter(|((bundle, verb), ..)| catalogue.find(Some(bundle), verb).is_ok());
    page.verbatim(
        "First steps",
        steps.flat_map(|(_, what, line)| [format!("# {what}"), (*line).to_owned()]),
    );
    let bundles: Vec<String> = catalogue
        .bundles()
        .into_iter()
        .map(|name| {
            let info = catalogue.info(name);
            let version = catalogue
                .commands(name)
                .next()
                .map_or("", |verb| verb.declaration.version.as_str());
            dashed(
                &format!("{name} ({version})"),
                info.map_or("", |info| info.summary.as_str()),
            )
        })
        .collect();
    page.list("Bundles", bundles);
    page.section(
        "Next",
        "`help BUNDLE` shows a bundle and its commands, `help COMMAND` a command.\n\
         A line: BUNDLE:COMMAND, or COMMAND where one bundle has it, [ARGUMENTS] [| COMMAND …]; joined by && || ; and &; names by `let NAME = …`; \
         earlier answers are $_ and $NUMBER.\n\
         @NAME before a command runs it in another context, @A,B in several at once, @* in all there are: its records \
         carry the field `context`, its rows a column CONTEXT. A record that is no map, or has a field of that name, is \
         in the field `record` beside it. Changes are made in one context at a time.\n\
         In the console `:present demo` types a rolling update line by line, `:` goes to panes and kinds of objects, \
         `:theme NAME` changes the colours; keymap and theme of every start are in config.toml.",
    );
    page.lines
}

/// The page of a bundle.
pub fn bundle(catalogue: &Catalogue, name: &str) -> Vec<Paragraph> {
    let unknown = BundleInfo::new(name, "");
    let info = catalogue.info(name).unwrap_or(&unknown);
    let mut page = Page::default();
    page.section("Name", &dashed(name, &info.summary));
    page.section("Description", &info.description);
    let commands = catalogue
        .commands(name)
        .map(|verb| dashed(&verb.declaration.name, &verb.declaration.summary));
    page.list("Commands", commands);
    let variables = info.variables.iter().map(|(name, what)| dashed(name, what));
    page.note_and_list("Configuration", &info.configuration, variables);
    page.section("Author", &info.author);
    page.section("Homepage", &info.homepage);
    page.lines
}

/// The page of a command.
pub fn command(catalogue: &Catalogue, declaration: &Declaration) -> Vec<Paragraph> {
    let mut page = Page::default();
    page.section("Name", &dashed(&declaration.qualified(), &declaration.summary));
    page.section("Description", &declaration.description);
    page.verbatim("Synopsis", [synopsis(declaration)]);
    let (required, optional): (Vec<&OptionSpec>, Vec<&OptionSpec>) = declaration
        .signature
        .options
        .iter()
        .partition(|option| is_required(option));
    if declaration.signature.usage.is_none() {
        let positionals = declaration.signature.positionals.iter();
        page.list("Arguments", positionals.map(|p| dashed(&argument(p), &p.help)));
    }
    page.list("Required Options", required.into_iter().map(option_line));
    page.list("Options", optional.into_iter().map(option_line));
    let examples = declaration
        .examples
        .iter()
        .flat_map(|example| match example.note.is_empty() {
            true => vec![example.line.clone()],
            false => vec![format!("# {}", example.note), example.line.clone()],
        });
    page.verbatim("Examples", examples);
    page.section("Output", &declaration.output);
    page.section("Notes", &[declaration.notes.clone(), blanks(declaration)].concat());
    if let Some(info) = catalogue.info(&declaration.bundle) {
        page.section("Author", &info.author);
        page.section("Homepage", &info.homepage);
    }
    page.lines
}

/// That the words of a name may stand apart, as kubectl's own do.
fn blanks(declaration: &Declaration) -> String {
    let blank = declaration.name.contains('-') && declaration.version == "native";
    let before = if declaration.notes.is_empty() { "" } else { "\n" };
    match blank {
        true => format!(
            "{before}Also typed with blanks: {}.",
            declaration.qualified().replace('-', " ")
        ),
        false => String::new(),
    }
}

/// `bundle:command`, required options bare, optional ones in brackets (or `[options]` when there are many), arguments.
pub fn synopsis(declaration: &Declaration) -> String {
    let mut words = vec![declaration.qualified()];
    let options = &declaration.signature.options;
    words.extend(options.iter().filter(|option| is_required(option)).map(long));
    let optional: Vec<String> = options
        .iter()
        .filter(|option| !is_required(option))
        .map(|option| format!("[{}]", long(option)))
        .collect();
    match optional.len() > MOST_OPTIONAL {
        true => words.push("[options]".to_owned()),
        false => words.extend(optional),
    }
    match &declaration.signature.usage {
        Some(usage) => words.extend((!usage.is_empty()).then(|| usage.clone())),
        None => words.extend(declaration.signature.positionals.iter().map(argument)),
    }
    words.join(" ")
}

fn is_required(option: &OptionSpec) -> bool {
    option.required && option.default.is_none()
}

fn takes_value(option: &OptionSpec) -> bool {
    !matches!(option.kind, OptionKind::Bool | OptionKind::Incr)
}

fn long(option: &OptionSpec) -> String {
    match takes_value(option) {
        true => format!("--{} <{}>", option.name, option.value_name),
        false => format!("--{}", option.name),
    }
}

fn argument(positional: &Positional) -> String {
    let more = if positional.variadic { "…" } else { "" };
    match positional.required {
        true => format!("<{}>{more}", positional.name),
        false => format!("[{}]{more}", positional.name),
    }
}

/// `-z <zone>, --zone <zone> - help (default: x)`.
fn option_line(option: &OptionSpec) -> String {
    let value = if takes_value(option) {
        format!(" <{}>", option.value_name)
    } else {
        String::new()
    };
    let spelled = match option.short {
        Some(short) => format!("-{short}{value}, --{}{value}", option.name),
        None => format!("--{}{value}", option.name),
    };
    let mut help = option.help.clone();
    if let OptionKind::Enum(words) = &option.kind {
        help.push_str(&format!(" ({})", words.join(", ")));
    }
    if let Some(default) = &option.default {
        help.push_str(&format!(" (default: {default})"));
    }
    dashed(&spelled, help.trim())
}

fn dashed(name: &str, what: &str) -> String {
    match what.is_empty() {
        true => name.to_owned(),
        false => format!("{name} - {what}"),
    }
}

#[derive(Default)]
struct Page {
    lines: Vec<Paragraph>,
}

impl Page {
    fn add(&mut self, first: &'static str, rest: &'static str, text: &str, verbatim: bool) {
        self.lines.push(Paragraph {
            first,
            rest,
            text: text.to_owned(),
            verbatim,
        });
    }

    fn head(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.add("", "", "", false);
        }
        self.add("", "", title, false);
    }

    fn section(&mut self, title: &str, text: &str) {
        if !text.is_empty() {
            self.head(title);
            self.text(text, "  ", "  ");
        }
    }

    fn list(&mut self, title: &str, items: impl IntoIterator<Item = String>) {
        self.note_and_list(title, "", items);
    }

    fn note_and_list(&mut self, title: &str, note: &str, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().collect();
        if note.is_empty() && items.is_empty() {
            return;
        }
        self.head(title);
        if !note.is_empty() {
            self.text(note, "  ", "  ");
        }
        for item in items {
            self.text(&item, "  • ", "    ");
        }
    }

    /// Lines to type. One that does not fit goes on further to the right, so that it reads as one.
    fn verbatim(&mut self, title: &str, lines: impl IntoIterator<Item = String>) {
        let lines: Vec<String> = lines.into_iter().collect();
        if lines.is_empty() {
            return;
        }
        self.head(title);
        for line in lines {
            self.add("  ", "        ", &line, true);
        }
    }

    /// One paragraph a line.
    fn text(&mut self, text: &str, first: &'static str, rest: &'static str) {
        for (at, paragraph) in text.lines().enumerate() {
            let words: Vec<&str> = paragraph.split(' ').filter(|word| !word.is_empty()).collect();
            self.add(if at == 0 { first } else { rest }, rest, &words.join(" "), false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::prose::{COLUMNS, plain};
    use crate::verb::{Call, Input, Output, Read, Verb};

    struct Nothing;

    #[async_trait::async_trait]
    impl Read for Nothing {
        async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), crate::core::report::Report> {
            Ok(())
        }
    }

    fn run() -> Declaration {
        Declaration::new("kubectl", "run", "Create a deployment")
            .positional(Positional::new("name", OptionKind::String, "its name"))
            .options([
                OptionSpec::new("image", OptionKind::String, "what runs")
                    .short('i')
                    .required(),
                OptionSpec::new("port", OptionKind::Int, "its port"),
                OptionSpec::new("expose", OptionKind::Bool, "a service too"),
            ])
            .example("kubectl:run web --image=nginx", "one pod")
    }

    fn catalogue() -> Catalogue {
        let info = BundleInfo {
            variables: vec![("KUBECONFIG".into(), "the clusters".into())],
            homepage: "https://kubernetes.io".into(),
            ..BundleInfo::new("kubectl", "Interact with Kubernetes")
        };
        Catalogue::new([Verb::read(run(), Nothing)]).describe([info])
    }

    #[test]
    fn the_synopsis_shows_required_options_bare_and_folds_many_optional_ones() {
        assert_eq!(
            synopsis(&run()),
            "kubectl:run --image <image> [--port <port>] [--expose] <name>"
        );
        let names = ["a", "b", "c", "d", "e", "f"];
        let many = Declaration::new("x", "y", "")
            .options(names.map(|name| OptionSpec::new(name, OptionKind::Bool, "")))
            .positional(Positional::new("z", OptionKind::String, "").optional().variadic());
        assert_eq!(synopsis(&many), "x:y [options] [z]…");
    }

    #[test]
    fn b05_a_commands_page_has_its_sections_in_order() {
        let page = plain(&command(&catalogue(), &run()));
        let heads = [
            "Name",
            "Synopsis",
            "Arguments",
            "Required Options",
            "Options",
            "Examples",
            "Homepage",
        ];
        let found: Vec<&str> = page
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(' '))
            .collect();
        assert_eq!(found, heads);
        assert!(page.contains("  • -i <image>, --image <image> - what runs\n"), "{page}");
        assert!(page.contains("  • --expose - a service too\n"), "{page}");
    }

    #[test]
    fn b05_a_bundles_page_has_its_sections_in_order() {
        let page = plain(&bundle(&catalogue(), "kubectl"));
        let wanted = "Name\n  kubectl - Interact with Kubernetes\n\nCommands\n  • run - Create a deployment\n\n\
                      Configuration\n  • KUBECONFIG - the clusters\n\nHomepage\n  https://kubernetes.io\n";
        assert_eq!(page, wanted);
    }

    #[test]
    fn long_text_is_wrapped_between_words() {
        let long = run().description(&"four ".repeat(100));
        let page = plain(&command(&catalogue(), &long));
        let longest = page.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((COLUMNS - 5..=COLUMNS).contains(&longest), "{page}");
        assert!(plain(&overview(&catalogue())).contains("• kubectl (native) - Interact with Kubernetes"));
    }
}
