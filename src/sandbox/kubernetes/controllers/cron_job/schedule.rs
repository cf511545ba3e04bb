//! Schedules of cron jobs: the standard form with five fields, its names and steps, and the words that begin with `@`.
//! Refusals are in the words of the parser that the real controller uses (robfig/cron's `ParseStandard`). Pure.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How far ahead a time is looked for: a day that no year has is never found.
const YEARS: i16 = 5;

/// When something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At the minutes that all fields name.
    At(Box<Fields>),
    /// Again and again after this time.
    Every(Duration),
}

/// The five fields, each as a set of bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// The days of the month, or those of the week, were left open: then only the other ones count.
    open: bool,
}

/// A field's bounds and the names of its values.
struct Bounds {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds {
    least: 0,
    most: 59,
    names: &[],
};
const HOURS: Bounds = Bounds {
    least: 0,
    most: 23,
    names: &[],
};
const DAYS: Bounds = Bounds {
    least: 1,
    most: 31,
    names: &[],
};
const MONTHS: Bounds = Bounds {
    least: 1,
    most: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAYS: Bounds = Bounds {
    least: 0,
    most: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong with it, as the real server says it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let standard = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ if text.starts_with("@every ") => return every(text),
            _ if text.starts_with('@') => return Err(format!("unrecognized descriptor: {text}")),
            fields => fields,
        };
        let parts: Vec<&str> = standard.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
            return Err(format!(
                "expected exactly 5 fields, found {}: [{}]",
                parts.len(),
                parts.join(" ")
            ));
        };
        let (days, any_day) = field(days, &DAYS)?;
        let (weekdays, any_weekday) = field(weekdays, &WEEKDAYS)?;
        Ok(Schedule::At(Box::new(Fields {
            minutes: field(minutes, &MINUTES)?.0,
            hours: field(hours, &HOURS)?.0,
            days,
            months: field(months, &MONTHS)?.0,
            weekdays,
            open: any_day || any_weekday,
        })))
    }

    /// The first time after another one.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Schedule::Every(length) => after.checked_add(*length).ok(),
            Schedule::At(fields) => fields.next(after, zone),
        }
    }

    /// The last time within `after` and `now`, and whether more than a hundred of them have passed unused.
    pub fn last(&self, after: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, bool)> {
        let first = self.next(after, zone).filter(|first| *first <= now)?;
        let second = self.next(first, zone)?;
        let gap = second.duration_since(first).as_secs().max(1);
        let many = now.duration_since(first).as_secs() / gap >= 100;
        // Looked for backwards in growing steps, since years of minutes may have passed.
        let mut back = gap;
        loop {
            let begin = now.as_second().saturating_sub(back).max(after.as_second());
            let mut at = Timestamp::from_second(begin).unwrap_or(after);
            let mut found = None;
            while let Some(next) = self.next(at, zone).filter(|next| *next <= now) {
                (found, at) = (Some(next), next);
            }
            if let Some(found) = found {
                return Some((found, many));
            }
            if begin <= after.as_second() {
                return Some((first, many));
            }
            back = back.saturating_mul(2);
        }
    }
}

impl Fields {
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = after.to_zoned(zone.clone()).date();
        let last = date.year().checked_add(YEARS)?;
        while date.year() <= last {
            if self.includes(date) {
                let hours = (0..24_i8).filter(|hour| has(self.hours, *hour));
                for (hour, minute) in hours.flat_map(|hour| (0..60_i8).map(move |minute| (hour, minute))) {
                    if !has(self.minutes, minute) {
                        continue;
                    }
                    let there = date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
                    if there > after {
                        return Some(there);
                    }
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    fn includes(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month()) && if self.open { day && weekday } else { day || weekday }
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits & (1_u64 << value.min(63)) != 0)
}

fn every(text: &str) -> Result<Schedule, String> {
    let given = text.trim_start_matches("@every ");
    let wrong = || format!("failed to parse duration {text}: time: invalid duration \"{given}\"");
    let (mut seconds, mut number) = (0_u64, String::new());
    for letter in given.chars() {
        let unit = match letter {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let count: u64 = std::mem::take(&mut number).parse().map_err(|_| wrong())?;
        seconds = count
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
    }
    match seconds {
        0 => Err(wrong()),
        _ if !number.is_empty() => Err(wrong()),
        seconds => Ok(Schedule::Every(Duration::from_secs(seconds))),
    }
}

/// The values of a field, and whether it leaves them open.
fn field(text: &str, bounds: &Bounds) -> Result<(u64, bool), String> {
    let mut all = (0, false);
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (bits, open) = range(part, bounds)?;
        all = (all.0 | bits, all.1 || open);
    }
    Ok(all)
}

/// `*`, `5`, `1-5`, `*/15`, `5/10`, `mon-fri`.
fn range(part: &str, bounds: &Bounds) -> Result<(u64, bool), String> {
    let (whole, step) = match part.split('/').collect::<Vec<_>>().as_slice() {
        [whole] => (*whole, None),
        [whole, step] => (*whole, Some(number(step)?)),
        _ => return Err(format!("too many slashes: {part}")),
    };
    let ends: Vec<&str> = whole.split('-').collect();
    let (least, most, open) = match ends.as_slice() {
        ["*" | "?"] => (bounds.least, bounds.most, true),
        [one] => {
            let value = bounds.value(one)?;
            // `5/10`: from 5 on.
            (value, if step.is_some() { bounds.most } else { value }, false)
        }
        [from, to] => (bounds.value(from)?, bounds.value(to)?, false),
        _ => return Err(format!("too many hyphens: {part}")),
    };
    if least < bounds.least {
        let limit = bounds.least;
        return Err(format!("beginning of range ({least}) below minimum ({limit}): {part}"));
    }
    if most > bounds.most {
        let limit = bounds.most;
        return Err(format!("end of range ({most}) above maximum ({limit}): {part}"));
    }
    if least > most {
        return Err(format!(
            "beginning of range ({least}) beyond end of range ({most}): {part}"
        ));
    }
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(format!("step of range should be a positive number: {part}"));
    }
    let values = (least..=most).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    Ok((values.fold(0, |bits, value| bits | (1_u64 << value)), open && step == 1))
}

impl Bounds {
    fn value(&self, word: &str) -> Result<u32, String> {
        let lower = word.to_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        match named.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Ok(at + self.least),
            None => number(word),
        }
    }
}

fn number(word: &str) -> Result<u32, String> {
    let failed = |why: &str| format!("failed to parse int from {word}: strconv.Atoi: parsing {word:?}: {why}");
    match word.parse::<i64>() {
        Ok(negative) if negative < 0 => Err(format!("negative number ({negative}) not allowed: {word}")),
        Ok(value) => Ok(u32::try_from(value).unwrap_or(u32::MAX)),
        Err(_) if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(failed("value out of range"))
        }
        Err(_) => Err(failed("invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn next(schedule: &str, after: &str) -> Option<String> {
        let found = Schedule::parse(schedule)
            .unwrap()
            .next(after.parse().unwrap(), &TimeZone::UTC);
        found.map(|at| at.to_string())
    }

    #[test]
    fn the_next_time_is_after_and_as_the_fields_say() {
        let begin = "2026-01-31T23:59:30Z";
        for (schedule, wanted) in [
            ("* * * * *", "2026-02-01T00:00:00Z"),
            ("*/15 * * * *", "2026-02-01T00:00:00Z"),
            ("5/20 1 * * *", "2026-02-01T01:05:00Z"),
            ("30 6 * * mon-fri", "2026-02-02T06:30:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("0 12 13 * FRI", "2026-02-06T12:00:00Z"),
            ("0 12 */2 * 1", "2026-02-01T12:00:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-02-01T00:00:00Z"),
            ("@every 1h30m", "2026-02-01T01:29:30Z"),
            ("1,2,3 4 ? * *", "2026-02-01T04:01:00Z"),
        ] {
            assert_eq!(next(schedule, begin).as_deref(), Some(wanted), "{schedule}");
        }
        assert_eq!(next("0 0 30 2 *", begin), None, "no year has that day");
        assert_eq!(
            next("0 0 * * *", "2026-02-01T00:00:00Z").as_deref(),
            Some("2026-02-02T00:00:00Z")
        );
    }

    #[test]
    fn a_zone_moves_the_times_with_its_clock() {
        let zone = TimeZone::fixed(jiff::tz::offset(11));
        let at = Schedule::parse("0 9 * * *")
            .unwrap()
            .next("2026-01-31T00:00:00Z".parse().unwrap(), &zone);
        assert_eq!(at.unwrap().to_string(), "2026-01-31T22:00:00Z");
    }

    #[test]
    fn the_last_time_is_found_however_long_ago_one_began() {
        let last = |schedule: &str, after: &str, now: &str| {
            let found = Schedule::parse(schedule).unwrap();
            let found = found.last(after.parse().unwrap(), now.parse().unwrap(), &TimeZone::UTC);
            found.map(|(at, many)| (at.to_string(), many))
        };
        let some = |at: &str, many| Some((at.to_owned(), many));
        assert_eq!(
            last("*/5 * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:04:00Z"),
            None
        );
        assert_eq!(
            last("*/5 * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:13:00Z"),
            some("2026-01-01T00:10:00Z", false)
        );
        assert_eq!(
            last("* * * * *", "2000-01-01T00:00:00Z", "2026-01-01T00:13:07Z"),
            some("2026-01-01T00:13:00Z", true)
        );
        // Pairs of minutes once a year.
        assert_eq!(
            last("0,1 0 1 1 *", "2024-06-01T00:00:00Z", "2026-06-01T00:00:00Z"),
            some("2026-01-01T00:01:00Z", true)
        );
    }

    #[test]
    fn what_is_no_schedule_is_told_as_the_real_parser_tells_it() {
        for (schedule, why) in [
            ("", "expected exactly 5 fields, found 0: []"),
            ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
            ("61 * * * *", "end of range (61) above maximum (59): 61"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("9-5 * * * *", "beginning of range (9) beyond end of range (5): 9-5"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            (
                "x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            (
                "99999999999999999999 * * * *",
                "failed to parse int from 99999999999999999999: strconv.Atoi: parsing \"99999999999999999999\": value out of range",
            ),
            ("@never", "unrecognized descriptor: @never"),
            (
                "@every x",
                "failed to parse duration @every x: time: invalid duration \"x\"",
            ),
            (
                "@every 99999999999999999h",
                "failed to parse duration @every 99999999999999999h: time: invalid duration \"99999999999999999h\"",
            ),
        ] {
            assert_eq!(Schedule::parse(schedule), Err(why.to_owned()), "{schedule}");
        }
        for hostile in [
            "\u{0} * * * *",
            "4294967295-4294967295 * * * *",
            "*/4294967295 * * * *",
            ", , , , ,",
        ] {
            if let Ok(found) = Schedule::parse(hostile) {
                let _ = found.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC);
            }
        }
    }
}
