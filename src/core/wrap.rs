//! Cutting text into pieces that fit a number of columns. Not for styled lines, which the console's chat cuts itself.

use unicode_segmentation::UnicodeSegmentation;

use super::text::width;

/// Signs behind which a word too long for a line is cut: host names, paths and images read on there.
pub const CUT_BEHIND: &[char] = &['.', '/', ':', ',', ';', '=', '&'];

/// Cuts a text into pieces of at most `columns`, at blanks where there are any, otherwise behind [`CUT_BEHIND`] in the
/// second half of a line, otherwise anywhere between graphemes.
/// Never drops a character but the blank it broke at. Line breaks break.
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    text.split('\n').flat_map(|line| wrap_line(line, columns)).collect()
}

fn wrap_line(text: &str, columns: usize) -> Vec<String> {
    if width(text) <= columns {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    let (mut piece, mut used) = (String::new(), 0);
    for grapheme in text.graphemes(true) {
        let next = width(grapheme);
        if used + next > columns && !piece.is_empty() {
            let rest = match piece.rfind(' ').filter(|at| *at > 0) {
                Some(at) if grapheme != " " => piece.split_off(at).trim_start().to_owned(),
                None if grapheme != " " => {
                    match piece.rfind(CUT_BEHIND).filter(|at| width(&piece[..*at]) * 2 > columns) {
                        Some(at) => piece.split_off(at + 1),
                        None => String::new(),
                    }
                }
                _ => String::new(),
            };
            pieces.push(std::mem::replace(&mut piece, rest));
            used = width(&piece);
            if grapheme == " " {
                continue;
            }
        }
        piece.push_str(grapheme);
        used += next;
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::text::SafeText;
    use proptest::prelude::*;

    #[test]
    fn breaks_at_blanks_and_inside_long_words() {
        assert_eq!(wrap("the zone is gone", 8), ["the zone", "is gone"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(
            wrap("a1b2-123.elb.amazonaws.com", 16),
            ["a1b2-123.elb.", "amazonaws.com"]
        );
        assert_eq!(wrap("世界世界", 5), ["世界", "世界"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("a\nb", 5), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-c 世]{0,40}", columns in 2u16..12) {
            let joined: String = wrap(&text, columns).concat().replace(' ', "");
            prop_assert_eq!(joined, text.replace(' ', ""));
        }

        #[test]
        fn no_piece_is_wider(text in "\\PC{0,60}", columns in 2u16..20) {
            let safe = SafeText::line(&text);
            for piece in wrap(safe.as_str(), columns) {
                let one = piece.graphemes(true).count() == 1; // a lone grapheme may be wider than any column
                prop_assert!(one || width(&piece) <= usize::from(columns), "{:?}", piece);
            }
        }
    }
}
