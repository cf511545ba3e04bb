//! What a verb takes: its options and positional arguments, and their types. Not how they are read from a line.

/// Types of option and positional values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text; number-looking text stays text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A flag; `=yes|no|true|false|on|off` accepted.
    Bool,
    /// A flag that counts.
    Incr,
    /// Comma-separated, `\,` keeps a comma; repeats add; a JSON list from a variable.
    List,
    /// `500ms`, `10s`, `5m`, `1h`; a bare number is seconds.
    Duration,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Any JSON value, kept as it is.
    Json,
    /// Two words each time, a name and a value; all of them in one list, one after another.
    Pair,
}

impl OptionKind {
    /// The type in one word, for programs; the manifests of bundles say `string`, `int`, `float`, `bool`, `incr` and
    /// `list` for the same.
    pub fn word(&self) -> &'static str {
        match self {
            OptionKind::String => "string",
            OptionKind::Int => "int",
            OptionKind::Float => "float",
            OptionKind::Bool => "bool",
            OptionKind::Incr => "incr",
            OptionKind::List => "list",
            OptionKind::Duration => "duration",
            OptionKind::Enum(_) => "enum",
            OptionKind::Json => "json",
            OptionKind::Pair => "pair",
        }
    }

    /// The words that may be said; none: any.
    pub fn values(&self) -> Option<&'static [&'static str]> {
        match self {
            OptionKind::Enum(values) => Some(values),
            _ => None,
        }
    }
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Long name without dashes.
    pub name: String,
    /// Short flag.
    pub short: Option<char>,
    /// Type.
    pub kind: OptionKind,
    /// Must be given.
    pub required: bool,
    /// Used when not given.
    pub default: Option<String>,
    /// The word for the value in help (`<zone>`).
    pub value_name: String,
    /// One line of help.
    pub help: String,
    /// Prompted for, or read by `@file` / `-`; shown as `•••`.
    pub secret: bool,
    /// Other spellings of the long name.
    pub aliases: Vec<&'static str>,
    /// Words that are offered for its value though others may be given; one that ends in `=` goes on.
    pub values: &'static [&'static str],
}

impl OptionSpec {
    /// An optional option.
    pub fn new(name: &str, kind: OptionKind, help: &str) -> Self {
        OptionSpec {
            name: name.to_owned(),
            short: None,
            kind,
            required: false,
            default: None,
            value_name: name.to_owned(),
            help: help.to_owned(),
            secret: false,
            aliases: Vec::new(),
            values: &[],
        }
    }

    /// With words that are offered for its value.
    #[must_use]
    pub fn values(mut self, words: &'static [&'static str]) -> Self {
        self.values = words;
        self
    }

    /// With a short flag.
    #[must_use]
    pub fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// Must be given.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With a default.
    #[must_use]
    pub fn default(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        self
    }

    /// With another word for the value in help.
    #[must_use]
    pub fn value_name(mut self, name: &str) -> Self {
        self.value_name = name.to_owned();
        self
    }

    /// With another spelling.
    #[must_use]
    pub fn alias(mut self, name: &'static str) -> Self {
        self.aliases.push(name);
        self
    }
}

/// One declared positional argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positional {
    /// The word in help.
    pub name: String,
    /// Type.
    pub kind: OptionKind,
    /// Must be given when nothing comes down the pipe.
    pub required: bool,
    /// Must be given even when records come down the pipe (a filter, a pattern).
    pub always: bool,
    /// Takes all that are left (the last one only).
    pub variadic: bool,
    /// One line of help.
    pub help: String,
}

impl Positional {
    /// A required positional.
    pub fn new(name: &str, kind: OptionKind, help: &str) -> Self {
        Positional {
            name: name.to_owned(),
            kind,
            required: true,
            always: false,
            variadic: false,
            help: help.to_owned(),
        }
    }

    /// May be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Must be given even when records come down the pipe.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.always = true;
        self
    }

    /// Takes all that are left.
    #[must_use]
    pub fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}
