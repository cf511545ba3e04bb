//! Quantities as the API writes them (`500m`, `1.5`, `128Mi`, `2k`, `1e3`): read to thousandths, summed and written again.
//! Not for keeping the writer's own notation: an amount is written in the shortest form of its family.

/// An amount in thousandths.
pub type Milli = i128;

const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, u32); 7] = [("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18), ("", 0)];
/// Longest number read: more digits than any amount has.
const DIGITS: usize = 24;

/// Reads a quantity; what is none is `None`.
pub fn parse(text: &str) -> Option<Milli> {
    let end = text
        .find(|letter: char| !matches!(letter, '0'..='9' | '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > DIGITS || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: Milli = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let sign = if number.starts_with('-') { -1 } else { 1 };
    let value = whole
        .checked_mul(1_000)?
        .checked_add(sign * thousandths.parse::<Milli>().ok()?)?;
    if suffix == "m" {
        return Some(value.div_euclid(1_000));
    }
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return value.checked_mul(1 << bits);
    }
    if let Some((_, digits)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return value.checked_mul(Milli::from(10_u32).checked_pow(*digits)?);
    }
    let exponent: u32 = suffix.strip_prefix(['e', 'E'])?.trim_start_matches('+').parse().ok()?;
    value.checked_mul(Milli::from(10_u32).checked_pow(exponent)?)
}

/// Writes an amount; in powers of 1024 when it is one of bytes.
pub fn show(amount: Milli, bytes: bool) -> String {
    if amount % 1_000 != 0 {
        return format!("{amount}m");
    }
    let whole = amount / 1_000;
    let suffix = BINARY
        .iter()
        .rev()
        .find(|(_, bits)| bytes && whole != 0 && whole % (1 << bits) == 0);
    match suffix {
        Some((name, bits)) => format!("{}{name}", whole >> bits),
        None => whole.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_and_written() {
        for (text, bytes, shown) in [
            ("500m", false, "500m"),
            ("1.5", false, "1500m"),
            ("2000m", false, "2"),
            ("128Mi", true, "128Mi"),
            ("1024Mi", true, "1Gi"),
            ("1.5Gi", true, "1536Mi"),
            ("2k", false, "2000"),
            ("1e3", false, "1000"),
            ("0", true, "0"),
            (".5", false, "500m"),
            ("100", true, "100"),
        ] {
            assert_eq!(
                parse(text).map(|amount| show(amount, bytes)).as_deref(),
                Some(shown),
                "{text}"
            );
        }
        for hostile in [
            "",
            "m",
            "1x",
            "1.2.3",
            "--1",
            "Ki",
            "1e",
            "1e999",
            "99999999999999999999999999",
        ] {
            assert_eq!(parse(hostile), None, "{hostile}");
        }
    }
}
