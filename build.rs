//! How the program is linked, and its presets of keymaps and themes: they are read here, so that they need not be read
//! before each first frame. What they may say is the business of the program, whose tests compare both.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What `cargo bench --bench startup_order` found to run before the first frame.
const ORDER: &str = "assets/startup.order";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    link();
    write_presets("keymaps", keymap)?;
    write_presets("themes", theme)
}

fn link() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // At a fixed address: the dynamic linker would otherwise write 95,000 addresses into tables (most of them the AWS
    // clients') before the first instruction runs, which takes a sixth of the time to the first frame.
    // What that gives up: the program's own code is not at a random place; heap, stack and libraries are.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if has_unwinder() {
            println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
        }
    }
    order();
}

/// Puts side by side what runs before the first frame: spread over the program, each function would be a piece of the file
/// of its own to be mapped at each start. A name on the list that this build spells differently is passed over.
fn order() {
    println!("cargo:rerun-if-changed={ORDER}");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let Ok(list) = fs::canonicalize(ORDER) else { return };
    // In two arguments each: the compiler that links would take a comma in the path as an end.
    let options = [
        format!("--symbol-ordering-file={}", list.display()),
        "--no-warn-symbol-ordering".to_owned(),
    ];
    if takes(&options) {
        for option in options {
            println!("cargo:rustc-link-arg-bins=-Xlinker");
            println!("cargo:rustc-link-arg-bins={option}");
        }
    }
}

/// Whether the linker that will be used takes these options, as lld does: it is told them with a program of nothing.
fn takes(options: &[String]) -> bool {
    let variable = |name: &str| std::env::var(name).ok();
    let (Some(rustc), Some(target), Some(out)) = (variable("RUSTC"), variable("TARGET"), variable("OUT_DIR")) else {
        return false;
    };
    let source = Path::new(&out).join("linked.rs");
    let mut command = Command::new(rustc);
    command.args(["--target", &target, "--crate-name", "linked", "--out-dir", &out]);
    command.args(
        variable("CARGO_ENCODED_RUSTFLAGS")
            .iter()
            .flat_map(|flags| flags.split('\u{1f}'))
            .filter(|flag| !flag.is_empty()),
    );
    command.args(variable("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}")));
    command.args(
        options
            .iter()
            .flat_map(|option| ["-Clink-arg=-Xlinker".to_owned(), format!("-Clink-arg={option}")]),
    );
    fs::write(&source, "fn main() {}").is_ok() && command.arg(&source).output().is_ok_and(|said| said.status.success())
}

/// Whether the C compiler that links brings the unwinder as an archive too. Taken from there it is no library to be found,
/// mapped and bound at each start, which is a twentieth of the time to the first frame.
fn has_unwinder() -> bool {
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let native = std::env::var("HOST").ok() == std::env::var("TARGET").ok();
    let linker = std::env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let asked = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    // One that has none says the bare name.
    native && asked.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_absolute())
}

/// Writes `FOLDER.rs`: a table of what `preset` makes of each file of the folder.
fn write_presets(
    folder: &str,
    preset: fn(&DeTable<'_>) -> Result<String, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={folder}");
    let mut files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut table = "const PRESETS: &[Preset] = &[\n".to_owned();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let document = DeTable::parse(&text).map_err(|error| named(&error))?;
        table += &preset(document.get_ref()).map_err(|error| named(&error))?;
    }
    table += "];\n";
    let out = std::env::var("OUT_DIR")?;
    Ok(fs::write(Path::new(&out).join(folder).with_extension("rs"), table)?)
}

/// A table in the order of its file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t str, &'t DeValue<'i>)> {
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(key, _)| key.span().start);
    rows.into_iter()
        .map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()))
        .collect()
}

fn text<'t>(value: &'t DeValue<'_>) -> Result<&'t str, String> {
    value.as_str().ok_or_else(|| format!("{value:?} is no text"))
}

fn rows<'t, 'i>(value: &'t DeValue<'i>) -> Result<Vec<(&'t str, &'t DeValue<'i>)>, String> {
    value
        .as_table()
        .map(in_order)
        .ok_or_else(|| format!("{value:?} is no table"))
}

fn keymap(document: &DeTable<'_>) -> Result<String, Box<dyn Error>> {
    let (mut name, mut inherits, mut vi, mut keys) = (None, None, None, String::new());
    for (field, value) in in_order(document) {
        match field {
            "name" => name = Some(text(value)?),
            "inherits" => inherits = Some(text(value)?),
            "vi" => vi = value.as_bool(),
            "global" | "input" | "popup" | "chat" | "panel" => {
                let part = field[..1].to_uppercase() + &field[1..];
                for (key, action) in rows(value)? {
                    writeln!(keys, "(Part::{part}, {key:?}, {:?}),", text(action)?)?;
                }
            }
            other => return Err(format!("a preset has no {other}").into()),
        }
    }
    let name = name.ok_or("it has no name")?;
    Ok(format!(
        "Preset {{ name: {name:?}, inherits: {inherits:?}, vi: {vi:?}, keys: &[\n{keys}] }},\n"
    ))
}

fn theme(document: &DeTable<'_>) -> Result<String, Box<dyn Error>> {
    let (mut name, mut inherits, mut glyphs, mut styles) = (None, None, None, String::new());
    let palette = document
        .get("palette")
        .map(Spanned::get_ref)
        .and_then(DeValue::as_table);
    // A colour by its name in the palette, else as it is written.
    let color = |value: &DeValue<'_>| -> Result<String, String> {
        let written = text(value)?;
        let known = palette.and_then(|palette| palette.get(written));
        known
            .map_or(Ok(written), |known| text(known.get_ref()))
            .map(str::to_owned)
    };
    for (field, value) in in_order(document) {
        match field {
            "name" => name = Some(text(value)?),
            "inherits" => inherits = Some(text(value)?),
            "glyphs" => glyphs = Some(text(value)?),
            "palette" => {}
            "styles" => {
                for (meaning, style) in rows(value)? {
                    write!(styles, "({meaning:?}, Spec {{ ")?;
                    for (attribute, value) in rows(style)? {
                        match attribute {
                            "fg" | "bg" => write!(styles, "{attribute}: Some(Cow::Borrowed({:?})), ", color(value)?)?,
                            _ => write!(
                                styles,
                                "{attribute}: {}, ",
                                value.as_bool().ok_or("an attribute is true or false")?
                            )?,
                        }
                    }
                    writeln!(styles, "..Spec::PLAIN }}),")?;
                }
            }
            other => return Err(format!("a preset has no {other}").into()),
        }
    }
    let name = name.ok_or("it has no name")?;
    Ok(format!(
        "Preset {{ name: {name:?}, inherits: {inherits:?}, glyphs: {glyphs:?}, styles: &[\n{styles}] }},\n"
    ))
}
