//! Quantities of the API (`resource.Quantity`): `250m`, `1.5`, `128Mi`, `2345678n`. Written back are sums only ([`Sum`]).

use std::fmt;

/// The value in thousandths, rounded up as Go's `MilliValue` does; none for what is no quantity or does not fit.
pub fn milli(text: &str) -> Option<i128> {
    scaled(text, 1000)
}

/// The value in thousandths of a millionth, in which CPU time is measured.
pub fn nano(text: &str) -> Option<i128> {
    scaled(text, 1_000_000_000)
}

/// The value in parts of one, rounded up.
fn scaled(text: &str, parts: i128) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || number.len() > 18 || part.contains('.') {
        return None;
    }
    let mantissa: i128 = format!("{whole}{part}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let (times, divided) = factor(suffix)?;
    let value = mantissa.checked_mul(times)?.checked_mul(parts)?;
    let divisor = scale.checked_mul(divided)?;
    let found = value.checked_add(divisor - 1)? / divisor;
    Some(if text.starts_with('-') { -found } else { found })
}

/// The value in whole units, rounded up.
pub fn whole(text: &str) -> Option<i128> {
    milli(text).map(|milli| (milli + 999) / 1000)
}

/// Quantities added up, written in the form of the first one that is not zero, as Go's `Quantity.Add` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    nano: i128,
    binary: bool,
}

impl Sum {
    /// Adds a quantity; what is none counts nothing.
    pub fn add(&mut self, text: &str) {
        self.merge(Sum {
            nano: nano(text).unwrap_or(0),
            binary: text.ends_with('i'),
        });
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Sum) {
        if self.nano == 0 {
            self.binary = other.binary;
        }
        self.nano = self.nano.saturating_add(other.nano);
    }

    /// The larger of both.
    pub fn or_more(&mut self, other: Sum) {
        if other.nano > self.nano {
            *self = other;
        }
    }

    /// How many hundredths of `whole` this is, cut to a whole number; of nothing it is none.
    pub fn percent_of(self, whole: &str) -> i128 {
        match nano(whole) {
            Some(whole) if whole != 0 => self.nano.saturating_mul(100) / whole,
            _ => 0,
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: i128 = 1_000_000_000;
        if self.nano == 0 {
            return f.write_str("0");
        }
        if self.binary && self.nano.unsigned_abs() >= 1024 * ONE.unsigned_abs() {
            let (mut amount, mut power) = (self.nano.saturating_add(ONE - 1) / ONE, 0);
            let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            while amount % 1024 == 0 && power + 1 < suffixes.len() {
                (amount, power) = (amount / 1024, power + 1);
            }
            return write!(f, "{amount}{}", suffixes[power]);
        }
        let (mut amount, mut power) = (self.nano, 0);
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        while amount % 1000 == 0 && power + 1 < suffixes.len() {
            (amount, power) = (amount / 1000, power + 1);
        }
        write!(f, "{amount}{}", suffixes[power])
    }
}

/// A quantity as Go prints it: `1024Mi` is `1Gi`. What is none stays as it is.
pub fn canonical(text: &str) -> String {
    if nano(text).is_none() {
        return text.to_owned();
    }
    let mut sum = Sum::default();
    sum.add(text);
    sum.to_string()
}

/// What a suffix multiplies and divides by.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let decimal = ["k", "M", "G", "T", "P", "E"];
    let small = ["m", "u", "n"];
    let place = |list: &[&str]| {
        list.iter()
            .position(|known| *known == suffix)
            .and_then(|at| u32::try_from(at + 1).ok())
    };
    if suffix.is_empty() {
        return Some((1, 1));
    }
    if let Some(power) = place(&binary) {
        return Some((1024_i128.checked_pow(power)?, 1));
    }
    if let Some(power) = place(&decimal) {
        return Some((1000_i128.checked_pow(power)?, 1));
    }
    if let Some(power) = place(&small) {
        return Some((1, 1000_i128.checked_pow(power)?));
    }
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let size = 10_i128.checked_pow(power.unsigned_abs().min(18))?;
    Some(if power < 0 { (1, size) } else { (size, 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_in_all_their_spellings() {
        let cases = [
            ("1", 1000),
            ("250m", 250),
            ("0.5", 500),
            ("2345678n", 3),
            ("1e3", 1_000_000),
            ("2Ki", 2_048_000),
            ("-1", -1000),
        ];
        for (text, milli) in cases {
            assert_eq!(super::milli(text), Some(milli), "{text}");
        }
        for bad in ["", "x", "1x", ".", "1.2.3", "99999999999999999999"] {
            assert_eq!(super::milli(bad), None, "{bad}");
        }
        assert_eq!(whole("1500m"), Some(2));
    }

    #[test]
    fn sums_are_written_in_the_form_of_their_parts() {
        let sum = |parts: &[&str]| {
            let mut sum = Sum::default();
            parts.iter().for_each(|part| sum.add(part));
            sum.to_string()
        };
        assert_eq!(sum(&[]), "0");
        assert_eq!(sum(&["0", "250m", "750m"]), "1");
        assert_eq!(sum(&["0.5"]), "500m");
        assert_eq!(sum(&["1000", "500"]), "1500");
        assert_eq!(sum(&["2000"]), "2k");
        assert_eq!(sum(&["512Mi", "512Mi"]), "1Gi");
        assert_eq!(sum(&["1Gi", "512Mi"]), "1536Mi");
        assert_eq!(sum(&["100", "1Ki"]), "1124");
        assert_eq!(sum(&["x", "", "1"]), "1");
        let mut half = Sum::default();
        half.add("64Mi");
        assert_eq!(
            (half.percent_of("129Mi"), half.percent_of("0"), half.percent_of("x")),
            (49, 0, 0)
        );
    }
}
