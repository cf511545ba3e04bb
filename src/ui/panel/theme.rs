//! Themes: meanings, not colours, in the code. A theme file maps meanings to styles; a state is always a glyph and a
//! word as well, so that nothing rests on colour alone.

mod depth;
mod file;
pub mod schema;

use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::verb::catalogue::did_you_mean_one_of;

pub use depth::Depth;

macro_rules! meanings {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// What a style stands for. Theme files name them as in [`Meaning::name`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Meaning { $($(#[doc = $doc])* $variant,)* }

        impl Meaning {
            /// Every meaning, in the order of declaration.
            pub const ALL: &'static [Meaning] = &[$(Meaning::$variant,)*];

            /// The name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Meaning::$variant => $name,)* }
            }

            /// The meaning of this name.
            pub fn named(name: &str) -> Option<Meaning> {
                match name { $($name => Some(Meaning::$variant),)* _ => None }
            }
        }
    };
}

meanings! {
    /// Running text.
    Text = "text",
    /// Secondary text.
    Dim = "dim",
    /// Stressed text.
    Strong = "strong",
    /// Panel and block titles.
    Title = "title",
    /// Table headers.
    Header = "header",
    /// Borders of panes without focus.
    Border = "border",
    /// The border of the focused pane.
    BorderFocused = "border.focused",
    /// Works as it should.
    StateOk = "state.ok",
    /// Needs a look.
    StateWarn = "state.warn",
    /// Broken.
    StateBad = "state.bad",
    /// On its way.
    StateProgress = "state.progress",
    /// Waits for someone.
    StateWaiting = "state.waiting",
    /// The version that comes.
    StateNew = "state.new",
    /// The version that goes.
    StateOld = "state.old",
    /// The selected row of the focused pane.
    RowSelected = "row.selected",
    /// The selected row of a pane without focus.
    RowSelectedIdle = "row.selected.idle",
    /// A row marked for an action.
    RowMarked = "row.marked",
    /// Lines a plan adds.
    DiffAdd = "diff.add",
    /// Lines a plan removes.
    DiffRemove = "diff.remove",
    /// Who typed a block.
    ChatUser = "chat.user",
    /// The line typed.
    ChatLine = "chat.line",
    /// Number, time and duration of a block.
    ChatMeta = "chat.meta",
    /// Remarks beside a result.
    ChatNote = "chat.note",
    /// The mark for what is new or hidden.
    ChatMark = "chat.mark",
    /// Error text.
    Error = "error",
    /// Hints in errors and elsewhere.
    Hint = "hint",
    /// A key in a hint.
    Key = "key",
    /// The context in the status line.
    Context = "status.context",
    /// The context when it is marked production.
    Production = "status.production",
    /// The status line.
    Status = "status",
    /// The prompt sign.
    Prompt = "prompt",
    /// A command's name in the input line.
    SyntaxCommand = "syntax.command",
    /// An option.
    SyntaxOption = "syntax.option",
    /// Quoted text.
    SyntaxString = "syntax.string",
    /// A variable.
    SyntaxVariable = "syntax.variable",
    /// Operators such as `|`.
    SyntaxOperator = "syntax.operator",
    /// A comment.
    SyntaxComment = "syntax.comment",
    /// Text that cannot be right.
    SyntaxError = "syntax.error",
    /// The selected line of a popup.
    PopupSelected = "popup.selected",
    /// What matched of a candidate.
    Match = "match",
}

/// How a state feels: decides glyph and style. The word beside it is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing to say about it.
    Neutral,
    /// Works as it should.
    Ok,
    /// On its way.
    Progress,
    /// Waits for someone.
    Waiting,
    /// Needs a look.
    Warn,
    /// Broken.
    Bad,
}

impl Tone {
    /// The style's meaning.
    pub fn meaning(self) -> Meaning {
        match self {
            Tone::Neutral => Meaning::Dim,
            Tone::Ok => Meaning::StateOk,
            Tone::Progress => Meaning::StateProgress,
            Tone::Waiting => Meaning::StateWaiting,
            Tone::Warn => Meaning::StateWarn,
            Tone::Bad => Meaning::StateBad,
        }
    }
}

/// The signs a screen is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Ok.
    pub ok: &'static str,
    /// Warn.
    pub warn: &'static str,
    /// Bad.
    pub bad: &'static str,
    /// Progress.
    pub progress: &'static str,
    /// Waiting.
    pub waiting: &'static str,
    /// Neutral.
    pub neutral: &'static str,
    /// Between old and new.
    pub arrow: &'static str,
    /// The prompt.
    pub prompt: &'static str,
    /// Something is folded here.
    pub folded: &'static str,
    /// The row is marked.
    pub mark: &'static str,
    /// Filled part of a bar.
    pub bar_full: &'static str,
    /// The part of a bar that is on its way.
    pub bar_part: &'static str,
    /// The part of a bar that is missing.
    pub bar_empty: &'static str,
    /// Levels of a sparkline, lowest first; a gap is a blank.
    pub ramp: [&'static str; 8],
    /// Separates cells of a line.
    pub separator: &'static str,
    /// Whether lines are drawn with box characters.
    pub boxes: bool,
}

impl Glyphs {
    /// For terminals that show Unicode with one column a sign.
    pub const UNICODE: Glyphs = Glyphs {
        ok: "✓",
        warn: "!",
        bad: "✗",
        progress: "~",
        waiting: "?",
        neutral: "·",
        arrow: "→",
        prompt: "❯",
        folded: "▸",
        mark: "●",
        bar_full: "█",
        bar_part: "▒",
        bar_empty: "·",
        ramp: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        separator: "│",
        boxes: true,
    };

    /// Seven-bit only.
    pub const ASCII: Glyphs = Glyphs {
        ok: "v",
        warn: "!",
        bad: "X",
        progress: "~",
        waiting: "?",
        neutral: "-",
        arrow: "->",
        prompt: ">",
        folded: ">",
        mark: "*",
        bar_full: "#",
        bar_part: "~",
        bar_empty: "-",
        ramp: [".", "_", "-", "-", "=", "+", "*", "#"],
        separator: "|",
        boxes: false,
    };

    /// The sign of a tone.
    pub fn of(&self, tone: Tone) -> &'static str {
        match tone {
            Tone::Neutral => self.neutral,
            Tone::Ok => self.ok,
            Tone::Progress => self.progress,
            Tone::Waiting => self.waiting,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
        }
    }
}

/// A style for every meaning, and a set of glyphs.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// The signs.
    pub glyphs: Glyphs,
    styles: Vec<Style>,
}

impl Theme {
    /// The presets' names.
    pub const PRESETS: &'static [&'static str] =
        &["terminal-16", "dark", "light", "high-contrast", "colour-blind", "mono"];

    /// The theme that needs no file: attributes only, no colour.
    pub fn plain() -> Self {
        let styles = Meaning::ALL.iter().map(|meaning| plain_style(*meaning)).collect();
        Theme {
            name: "plain".to_owned(),
            glyphs: Glyphs::UNICODE,
            styles,
        }
    }

    /// A preset by name; unknown names are reported with the nearest one.
    pub fn preset(name: &str) -> Result<Self, Report> {
        file::preset(name, &mut Vec::new()).ok_or_else(|| {
            let report = Report::refused("E-THEME-001", format!("unknown theme {name}"));
            report.hint(did_you_mean_one_of(name, Self::PRESETS))
        })
    }

    /// Reads an operator's theme file, which replaces single styles of the preset that it inherits, or else of `preset`.
    /// It is called `name` unless it says another one. What it names that does not exist comes back as remarks; the rest of
    /// it counts.
    pub fn parse(text: &str, name: &str, preset: &str) -> Result<(Self, Vec<Report>), Report> {
        file::parse(text, name, || Self::preset(preset))
    }

    /// The name of the default preset.
    pub const STANDARD: &'static str = "terminal-16";

    /// The default preset.
    pub fn standard() -> Self {
        Self::preset(Self::STANDARD).unwrap_or_else(|_| Self::plain())
    }

    /// The same theme without any colour, as `NO_COLOR` asks: attributes stay, so that the selection stays visible.
    #[must_use]
    pub fn without_color(mut self) -> Self {
        for (style, meaning) in self.styles.iter_mut().zip(Meaning::ALL) {
            let kept = Style {
                fg: None,
                bg: None,
                underline_color: None,
                ..*style
            };
            *style = kept.patch(plain_style(*meaning));
        }
        self
    }

    /// The same theme for a terminal that shows fewer colours than it names.
    #[must_use]
    pub fn at_depth(mut self, depth: Depth) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.map(|color| depth.nearest(color));
            style.bg = style.bg.map(|color| depth.nearest(color));
        }
        self
    }

    /// The same theme with another set of glyphs.
    #[must_use]
    pub fn with_glyphs(mut self, glyphs: Glyphs) -> Self {
        self.glyphs = glyphs;
        self
    }

    /// Whether any meaning has a colour.
    pub fn has_color(&self) -> bool {
        self.styles.iter().any(|style| style.fg.is_some() || style.bg.is_some())
    }

    /// The style of a meaning.
    pub fn style(&self, meaning: Meaning) -> Style {
        self.styles.get(meaning as usize).copied().unwrap_or_default()
    }

    /// A piece of text with the style of a meaning.
    pub fn span(&self, text: &SafeText, meaning: Meaning) -> Span<'static> {
        Span::styled(text.as_str().to_owned(), self.style(meaning))
    }

    /// A state as it is always shown: glyph and word in the tone's style.
    pub fn state(&self, tone: Tone, word: &SafeText) -> Span<'static> {
        Span::styled(
            format!("{} {}", self.glyphs.of(tone), word.as_str()),
            self.style(tone.meaning()),
        )
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::standard()
    }
}

/// Attributes that must be there whatever the colours: the selection is reverse video, rank is bold and dim.
fn plain_style(meaning: Meaning) -> Style {
    let style = Style::new();
    match meaning {
        Meaning::RowSelected | Meaning::PopupSelected | Meaning::Production => style.add_modifier(Modifier::REVERSED),
        Meaning::RowSelectedIdle | Meaning::RowMarked | Meaning::SyntaxError | Meaning::Match => {
            style.add_modifier(Modifier::UNDERLINED)
        }
        Meaning::Dim | Meaning::Border | Meaning::ChatMeta | Meaning::ChatNote | Meaning::SyntaxComment => {
            style.add_modifier(Modifier::DIM)
        }
        Meaning::Strong
        | Meaning::Title
        | Meaning::Header
        | Meaning::BorderFocused
        | Meaning::StateBad
        | Meaning::ChatLine
        | Meaning::Key
        | Meaning::Context
        | Meaning::Prompt
        | Meaning::SyntaxCommand => style.add_modifier(Modifier::BOLD),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ratatui::style::Color;

    /// What a file says, read now.
    fn read(name: &str) -> Theme {
        let file = format!("{}/themes/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).unwrap();
        let (theme, remarks) = file::parse(&text, name, || Ok(Theme::plain())).unwrap();
        assert_eq!(remarks, vec![], "{name}");
        theme
    }

    #[test]
    fn a_preset_is_what_its_file_says() {
        for name in Theme::PRESETS {
            let mut remarks = Vec::new();
            let preset = file::preset(name, &mut remarks).unwrap();
            assert_eq!((preset.name.as_str(), remarks), (*name, vec![]));
            assert_eq!(preset, read(name));
            assert_ne!(preset.styles, Theme::plain().styles, "{name} says something");
        }
    }

    #[test]
    fn a_selection_is_reversed_in_every_theme_and_without_colour() {
        for name in Theme::PRESETS {
            let theme = Theme::preset(name).unwrap();
            for theme in [theme.clone(), theme.without_color()] {
                assert!(
                    theme
                        .style(Meaning::RowSelected)
                        .add_modifier
                        .contains(Modifier::REVERSED),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn the_colour_blind_theme_tells_good_from_bad_by_more_than_red_and_green() {
        let theme = Theme::preset("colour-blind").unwrap();
        let color = |meaning| theme.style(meaning).fg.unwrap();
        assert_eq!(color(Meaning::StateOk), Color::Rgb(0x56, 0xb4, 0xe9));
        assert_eq!(color(Meaning::StateBad), Color::Rgb(0xd5, 0x5e, 0x00));
        assert_ne!(color(Meaning::StateNew), color(Meaning::StateOld));
    }

    #[test]
    fn without_colour_nothing_has_a_colour() {
        let theme = Theme::standard();
        assert_eq!(theme.style(Meaning::StateBad).fg, Some(Color::Red));
        let theme = theme.without_color();
        for meaning in Meaning::ALL {
            let style = theme.style(*meaning);
            assert_eq!((style.fg, style.bg), (None, None), "{}", meaning.name());
        }
    }

    #[test]
    fn an_unknown_meaning_is_reported_with_the_nearest_and_the_rest_counts() {
        let (theme, remarks) = Theme::parse(
            "name = 'x'\n[styles]\n'state.okk' = { fg = 'blue' }\n'state.bad' = { fg = 'magenta' }",
            "file",
            "mono",
        )
        .unwrap();
        assert_eq!(theme.name, "x");
        assert_eq!(remarks.len(), 1);
        let hint = remarks[0].hint.as_deref().unwrap();
        assert!(hint.starts_with("did you mean state.ok"), "{hint}");
        assert_eq!(theme.style(Meaning::StateBad).fg, Some(Color::Magenta));
    }

    #[test]
    fn a_file_that_inherits_what_there_is_not_starts_from_the_preset() {
        let text = "inherits = 'mon'\n[styles]\n'state.bad' = { fg = 'magenta' }";
        let (theme, remarks) = Theme::parse(text, "file", "mono").unwrap();
        let [remark] = remarks.as_slice() else {
            panic!("one remark: {remarks:?}")
        };
        assert!(
            remark.hint.as_deref().is_some_and(|hint| hint.contains("mono")),
            "{remark:?}"
        );
        assert!(remark.place.is_some(), "{remark:?}");
        assert_eq!(theme.style(Meaning::StateBad).fg, Some(Color::Magenta));
        assert_eq!(
            theme.style(Meaning::StateOk),
            Theme::preset("mono").unwrap().style(Meaning::StateOk)
        );
    }

    #[test]
    fn broken_files_are_refused_with_the_place() {
        let error = Theme::parse("name = 'x'\n[styles]\n'text' = { fg = ", "file", "mono").unwrap_err();
        assert!(error.place.is_some(), "{error:?}");
        assert!(
            Theme::preset("terminal-15")
                .unwrap_err()
                .hint
                .unwrap()
                .contains("terminal-16")
        );
    }

    #[test]
    fn a_state_is_a_glyph_and_a_word() {
        let theme = Theme::standard().with_glyphs(Glyphs::ASCII);
        assert_eq!(theme.state(Tone::Bad, &"CrashLoop".into()).content, "X CrashLoop");
    }
}
