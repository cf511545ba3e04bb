//! The syntax tree of one typed line, with the place of every node in its source.
//!
//! Not for meaning: names are not resolved and values have no type here beyond how they were spelled.

/// A half-open range of byte offsets into the source text. Nodes built by a program have the empty span at 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// One typed line (or script): pipelines and what joins them. No items: the source was blank or a comment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    /// The pipelines in the order of typing.
    pub items: Vec<Item>,
    /// The whole source.
    pub span: Span,
}

/// A pipeline and the connector after it.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// What runs.
    pub pipeline: Pipeline,
    /// Joins to the next item, or trails (only `&` and `;` may trail).
    pub then: Option<Connector>,
}

/// What stands between two pipelines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connector {
    /// `&&`: the next runs if this one succeeded.
    And,
    /// `||`: the next runs if this one failed.
    Or,
    /// `;` or a line break: the next runs afterwards in any case.
    Sequence,
    /// `&`: this one becomes a job, the next starts at once.
    Background,
}

/// Stages joined by `|`, perhaps named, perhaps redirected.
#[derive(Clone, PartialEq, Debug)]
pub struct Pipeline {
    /// `let NAME =` before the first stage.
    pub binding: Option<Binding>,
    /// At least one.
    pub stages: Vec<Stage>,
    /// Where the result goes; none means where it was asked.
    pub redirect: Option<Redirect>,
    /// From the binding or first stage to the last word.
    pub span: Span,
}

/// The name that `let` gives to a pipeline's records.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The name, unquoted.
    pub name: String,
    /// The name's place.
    pub span: Span,
}

/// One command of a pipeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    /// What stands before the command, in the order of typing.
    pub modifiers: Vec<Modifier>,
    /// The name and its arguments: at least one word.
    pub words: Vec<Word>,
    /// From the first modifier or word to the last word.
    pub span: Span,
}

/// Something before a command that applies to its stage only.
#[derive(Clone, PartialEq, Debug)]
pub struct Modifier {
    /// Which one, with its value.
    pub kind: ModifierKind,
    /// The whole modifier, its `@` or `name=` included.
    pub span: Span,
}

/// The modifiers a stage can have. Values are checked by the engine.
#[derive(Clone, PartialEq, Debug)]
pub enum ModifierKind {
    /// `@NAME`, `@A,B`, `@*`: in which contexts it runs.
    Context(Contexts),
    /// `on=`: a relay, host, `group:G`, label or `all`.
    On(Word),
    /// `parallel=`: how many invocations at a time.
    Parallel(Word),
    /// `on-error=`: `stop` or `continue`.
    OnError(Word),
    /// `timeout=`: a duration.
    Timeout(Word),
}

/// The contexts that a stage names.
#[derive(Clone, PartialEq, Debug)]
pub enum Contexts {
    /// `@NAME`, `@A,B`: at least one. A comma or star in quotes belongs to its name.
    Named(Vec<Word>),
    /// `@*`: every one there is.
    Every,
}

/// Where a pipeline's result goes.
#[derive(Clone, PartialEq, Debug)]
pub struct Redirect {
    /// Which sign was typed.
    pub mode: RedirectMode,
    /// At least one; what they mean is the engine's question.
    pub targets: Vec<Word>,
    /// From the sign to the last target.
    pub span: Span,
}

/// The two signs of a redirect. Both take several targets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RedirectMode {
    /// `>`
    One,
    /// `*>`
    Many,
}

/// One argument: adjacent text, quotes and variables form one word, as in `a"b c"$d`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Word {
    /// The pieces in order. None at all means the empty text.
    pub parts: Vec<Part>,
    /// The whole word, quotes included.
    pub span: Span,
}

/// A piece of a word.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Text as the command will see it: quotes and escapes already removed.
    Text {
        /// The characters.
        text: String,
        /// How they were protected.
        quote: Quote,
        /// The source, quotes and backslashes included.
        span: Span,
    },
    /// A variable to put in.
    Variable {
        /// Which value.
        path: Path,
        /// What stands for it when it is missing (JSON null is not missing).
        default: Option<Box<Word>>,
        /// Inside double quotes: always becomes text.
        quoted: bool,
        /// The source from `$` to the end of the path or `}`.
        span: Span,
    },
}

/// How a piece of text was protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quote {
    /// Bare.
    None,
    /// By backslashes outside quotes.
    Escaped,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
}

/// Which value a variable means: `$root.step[step]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    /// Where to start.
    pub root: Root,
    /// How to descend.
    pub steps: Vec<Step>,
}

/// Where a variable's path starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Root {
    /// `$_`: the last block's records.
    Last,
    /// `$41`: the records of block 41.
    Block(u64),
    /// A field of the incoming record, or a name given by `let`.
    Name(String),
}

/// One descent of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// A place in a list; negative counts from the end.
    Index(i64),
}

impl Span {
    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The text it covers; empty if it does not fit `source`.
    #[must_use]
    pub fn of(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

impl Part {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Part::Text { span, .. } | Part::Variable { span, .. } => *span,
        }
    }
}

impl ModifierKind {
    /// The words of its value.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        match self {
            ModifierKind::Context(Contexts::Named(names)) => names,
            ModifierKind::Context(Contexts::Every) => &[],
            ModifierKind::On(word)
            | ModifierKind::Parallel(word)
            | ModifierKind::OnError(word)
            | ModifierKind::Timeout(word) => std::slice::from_ref(word),
        }
    }
}

impl Stage {
    /// Whether it names more than one context, or all there are.
    #[must_use]
    pub fn in_several_contexts(&self) -> bool {
        self.modifiers.iter().any(|modifier| match &modifier.kind {
            ModifierKind::Context(Contexts::Named(names)) => names.len() > 1,
            ModifierKind::Context(Contexts::Every) => true,
            _ => false,
        })
    }

    /// A stage built by a program: a command name and nothing else.
    #[must_use]
    pub fn new(name: &str) -> Stage {
        Stage {
            modifiers: Vec::new(),
            words: vec![Word::text(name)],
            span: Span::default(),
        }
    }

    /// Adds one argument that is data: whatever the text holds, it stays one argument and no option.
    #[must_use]
    pub fn arg(mut self, text: &str) -> Stage {
        self.words.push(Word::text(text));
        self
    }

    /// Adds a word that a program built, such as a field of the incoming record.
    #[must_use]
    pub fn with(mut self, word: Word) -> Stage {
        self.words.push(word);
        self
    }

    /// Adds an option and its value as two words, `name value`. `name` brings its dashes; `value` is data.
    #[must_use]
    pub fn arg_option(mut self, name: &str, value: &str) -> Stage {
        self.words.push(Word::option(name, None));
        self.words.push(Word::text(value));
        self
    }

    /// Adds `name=value`, or `name` alone without a value. `name` brings its dashes; `value` is data.
    #[must_use]
    pub fn option(mut self, name: &str, value: Option<&str>) -> Stage {
        self.words.push(Word::option(name, value.map(Word::text)));
        self
    }
}

impl Pipeline {
    /// The same in this context: every stage that names none itself runs there.
    #[must_use]
    pub fn in_context(mut self, name: &str) -> Pipeline {
        for stage in &mut self.stages {
            let named = |modifier: &Modifier| matches!(modifier.kind, ModifierKind::Context(_));
            if !stage.modifiers.iter().any(named) {
                let kind = ModifierKind::Context(Contexts::Named(vec![Word::text(name)]));
                let span = Span::default();
                stage.modifiers.insert(0, Modifier { kind, span });
            }
        }
        self
    }

    /// The one context that its first stage names; none: it runs where the session does, or in several.
    #[must_use]
    pub fn context(&self) -> Option<String> {
        let modifiers = self.stages.iter().take(1).flat_map(|stage| &stage.modifiers);
        let mut names = modifiers.filter_map(|modifier| match &modifier.kind {
            ModifierKind::Context(Contexts::Named(names)) => match names.as_slice() {
                [only] => only.literal(),
                _ => None,
            },
            _ => None,
        });
        names.next()
    }
}

impl From<Stage> for Pipeline {
    fn from(stage: Stage) -> Pipeline {
        Pipeline {
            binding: None,
            span: stage.span,
            stages: vec![stage],
            redirect: None,
        }
    }
}

impl From<Pipeline> for Line {
    fn from(pipeline: Pipeline) -> Line {
        Line {
            span: pipeline.span,
            items: vec![Item { pipeline, then: None }],
        }
    }
}
