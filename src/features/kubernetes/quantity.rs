//! Quantities of the API (`resource.Quantity`): `250m`, `1.5`, `128Mi`, `2345678n`. Not for writing them back.

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
}
