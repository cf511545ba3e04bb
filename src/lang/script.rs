//! A script as a file: one pipeline a line. Not for running it, and not for lines typed one after another.

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLine {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The text.
    pub text: String,
}

/// The lines of a script that are to be run: blank lines and those starting with `#` are left out.
pub fn script_lines(text: &str) -> Vec<ScriptLine> {
    let lines = text.lines().enumerate().map(|(index, line)| ScriptLine {
        number: index + 1,
        text: line.to_owned(),
    });
    lines
        .filter(|line| !line.text.trim().is_empty() && !line.text.trim_start().starts_with('#'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_left_out_and_numbers_are_the_files() {
        let lines = script_lines("# a word\n\n  echo one\n\t# more\necho '#two'\n");
        let found: Vec<_> = lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(found, [(3, "  echo one"), (5, "echo '#two'")]);
    }
}
