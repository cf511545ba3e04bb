//! A mutator for stable compilers: `mutate TARGET|all SECONDS [SEED]`. Starts from the corpus, changes what it has at
//! random, and keeps what led to a result not seen before. What makes a target panic, or takes too long, is written to
//! `artifacts/TARGET/` and ends the run with a failure. The seed repeats a run up to the machine's speed.
#![allow(clippy::print_stdout, reason = "a program for terminals")]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cogdeck_fuzz::targets::{TARGETS, Target};

/// Longer inputs find little that shorter ones do not, and are slow.
const LONGEST: usize = 4096;
/// One input may take this long.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of new finds kept.
const MOST: usize = 4096;
/// Pieces that mean something to one of the readers.
const WORDS: [&str; 58] = [
    "|",
    "||",
    "&&",
    "&",
    ";",
    ">",
    "*>",
    "'",
    "\"",
    "\\",
    "\n",
    "$",
    "${",
    "}",
    ":-",
    "$_",
    "$41",
    ".a",
    "[0]",
    "[",
    "]",
    "\\(",
    "--",
    "-",
    "=",
    "@",
    "@cog ",
    "!",
    "!!",
    "on=",
    "parallel=",
    "on-error=",
    "timeout=",
    "let x = ",
    "#",
    "here",
    "file:",
    "~",
    "~$",
    "~if cond=",
    "~each var=",
    "~end~",
    "~attachment",
    "must have",
    "when command is",
    "with",
    "and",
    "or",
    "not",
    "in",
    "any",
    "all",
    "arg[0]",
    "option[x]",
    "/re/",
    "&a ",
    "*a",
    "\u{202e}",
];

/// xorshift64*: small, seeded, good enough to pick places.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("all", String::as_str);
    let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let seed = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(1u64);
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|(known, _)| name == "all" || name == *known)
        .collect();
    if chosen.is_empty() {
        println!(
            "mutate TARGET|all SECONDS [SEED]; targets: {}",
            TARGETS.map(|(name, _)| name).join(" ")
        );
        return ExitCode::from(2);
    }
    // A panic is told by us, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let failed = chosen
        .iter()
        .filter(|(name, target)| !fuzz(name, *target, Duration::from_secs(seconds), seed));
    match failed.count() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// False: an input was found that must not be.
fn fuzz(name: &str, target: Target, time: Duration, seed: u64) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = seeds(&folder.join("corpus").join(name));
    let seeds = corpus.len();
    let mut seen = HashSet::new();
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut runs: u64 = 0;
    let mut queue: Vec<Vec<u8>> = corpus.clone();
    while begun.elapsed() < time {
        let input = match queue.pop() {
            Some(seed) => seed,
            None => mutated(&corpus, &mut random),
        };
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let took = started.elapsed();
        slowest = slowest.max(took);
        runs += 1;
        match result {
            Ok(signature) if took < PATIENCE => {
                if seen.insert(signature) && corpus.len() < MOST {
                    corpus.push(input);
                }
            }
            other => {
                let why = match other {
                    Err(payload) => payload
                        .downcast_ref::<String>()
                        .cloned()
                        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                        .unwrap_or_else(|| "a panic".to_owned()),
                    Ok(_) => format!("it took {took:?}"),
                };
                let path = keep(&folder.join("artifacts").join(name), &input);
                println!("{name}: FOUND after {runs} runs: {why}\n  {}", path.display());
                return false;
            }
        }
    }
    println!(
        "{name}: {runs} runs in {:.0?}, {} seeds, {} results told apart, slowest {slowest:.1?}: nothing found",
        begun.elapsed(),
        seeds,
        seen.len()
    );
    true
}

fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    seeds.push(Vec::new());
    seeds
}

fn keep(folder: &Path, input: &[u8]) -> PathBuf {
    let path = folder.join(format!("found-{}", input.len()));
    if std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, input))
        .is_err()
    {
        println!("{:?}", String::from_utf8_lossy(input));
    }
    path
}

fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(16)).min(input.len());
        match random.below(8) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, random.next() as u8),
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            3 => {
                let piece = input.get(at..end).unwrap_or_default().to_vec();
                let times = 1 + random.below(40);
                input.splice(at..at, piece.repeat(times));
            }
            4 => {
                let other = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
                let from = random.below(other.len() + 1);
                input.splice(at..end, other.get(from..).unwrap_or_default().iter().copied());
            }
            _ => {
                let word = WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default();
                input.splice(at..at, word.bytes());
            }
        }
        input.truncate(LONGEST);
    }
    input
}
