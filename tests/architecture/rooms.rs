//! The table of rooms as ARCHITECTURE.md writes it, and the judgement of one file by it.

use std::collections::BTreeSet;

use crate::paths::{Import, imports, module_of, tokens};

const FIRST: &str = "<!-- rooms -->";
const LAST: &str = "<!-- /rooms -->";

/// Crates that draw on a terminal with ratatui's types.
const DRAWING: [&str; 3] = ["ratatui", "tui_textarea", "ansi_to_tui"];

/// Who may import whom.
#[derive(Debug)]
pub struct Rooms {
    rows: Vec<Row>,
    /// The folders below `features`.
    features: BTreeSet<String>,
}

#[derive(Debug)]
struct Row {
    room: Vec<String>,
    /// Beginnings of paths; `*` stands for any one name.
    may: Vec<Vec<String>>,
    everything: bool,
}

impl Rooms {
    /// Reads the table between the two markers. Errors say which line cannot be understood.
    pub fn parse(document: &str, features: BTreeSet<String>) -> Result<Self, String> {
        let table = document
            .split_once(FIRST)
            .and_then(|(_, rest)| rest.split_once(LAST))
            .map(|(table, _)| table)
            .ok_or_else(|| format!("no table between {FIRST} and {LAST}"))?;
        let rows = table
            .lines()
            .filter(|line| line.starts_with('|'))
            .skip(2) // the heading and its rule
            .map(Row::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() {
            return Err("the table of rooms is empty".to_owned());
        }
        for (at, row) in rows.iter().enumerate() {
            if rows.iter().take(at).any(|before| before.room == row.room) {
                return Err(format!("room `{}` stands twice in the table", row.room.join("/")));
            }
            for entry in &row.may {
                if !rows.iter().any(|known| entry.starts_with(&known.room)) {
                    return Err(format!(
                        "`{}` lists `{}`, which is no room",
                        row.room.join("/"),
                        entry.join("/")
                    ));
                }
            }
        }
        Ok(Self { rows, features })
    }

    /// The rooms that list `room` or a part of it.
    pub fn importers(&self, room: &str) -> Vec<String> {
        let room = segments(room);
        let lists = |row: &&Row| row.may.iter().any(|entry| entry.starts_with(&room));
        self.rows.iter().filter(lists).map(|row| row.room.join("/")).collect()
    }

    /// What one file (its path below `src`) imports against the table, one line each.
    pub fn violations(&self, file: &str, source: &str) -> Vec<String> {
        let module = module_of(file);
        let tokens = tokens(source);
        let mut found = Vec::new();
        if !may_draw(&module) {
            for token in tokens.iter().filter(|token| DRAWING.contains(&token.text.as_str())) {
                found.push(format!(
                    "src/{file}:{}: `{}` outside of ui/ and panel/",
                    token.line, token.text
                ));
            }
        }
        // The crate's roots (lib.rs, main.rs) only join the rooms.
        if module.is_empty() {
            return found;
        }
        let row = self.row_of(&module);
        if row.is_none() && !self.is_above_rooms(&module) {
            found.push(format!("src/{file}:1: belongs to no room of the table"));
        }
        for import in imports(&module, &tokens) {
            if let Some(reason) = self.objection(&module, row, &import) {
                found.push(format!(
                    "src/{file}:{}: `crate::{}`: {reason}",
                    import.line,
                    import.segments.join("::")
                ));
            }
        }
        found
    }

    /// Arrows of the table that none of these imports (module and path) goes along; of rooms that are built.
    pub fn unused(&self, imported: &[(Vec<String>, Vec<String>)]) -> Vec<String> {
        let of = |row: &Row| {
            let from = |module: &Vec<String>| self.row_of(module).is_some_and(|found| found.room == row.room);
            let taken: Vec<_> = imported
                .iter()
                .filter(|(module, _)| from(module))
                .map(|(_, path)| path)
                .collect();
            let idle = |entry: &&Vec<String>| !taken.iter().any(|path| begins(entry, path));
            let arrow = |entry: &Vec<String>| format!("`{}` -> `{}`", row.room.join("/"), entry.join("/"));
            match taken.is_empty() {
                true => Vec::new(),
                false => row.may.iter().filter(idle).map(arrow).collect(),
            }
        };
        self.rows.iter().flat_map(of).collect()
    }

    fn row_of(&self, module: &[String]) -> Option<&Row> {
        self.rows
            .iter()
            .filter(|row| module.starts_with(&row.room))
            .max_by_key(|row| row.room.len())
    }

    /// A folder such as `ui`, which only holds rooms.
    fn is_above_rooms(&self, module: &[String]) -> bool {
        self.rows
            .iter()
            .any(|row| row.room.len() > module.len() && row.room.starts_with(module))
    }

    fn objection(&self, module: &[String], row: Option<&Row>, import: &Import) -> Option<String> {
        let target = &import.segments;
        let goal = self.row_of(target);
        let own = match (row, goal) {
            (Some(row), Some(goal)) if row.room == goal.room => self.same_feature(module, target),
            (None, None) => target.starts_with(module),
            _ => false,
        };
        if own || row.is_some_and(|row| row.allows(target)) {
            return None;
        }
        let room = row.map_or_else(|| module.join("/"), |row| row.room.join("/"));
        Some(match goal {
            None if !self.is_above_rooms(target) => "names no room of the table".to_owned(),
            _ => format!("room `{room}` may not import it"),
        })
    }

    /// Within `features`, only the common part and one's own folder are one's own.
    fn same_feature(&self, module: &[String], target: &[String]) -> bool {
        let feature = |path: &[String]| match path {
            [room, name, ..] if room == "features" && self.features.contains(name) => Some(name.clone()),
            _ => None,
        };
        match (feature(module), feature(target)) {
            (Some(from), Some(to)) => from == to,
            _ => true,
        }
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self, String> {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [room, may] = cells.as_slice() else {
            return Err(format!("a row needs two cells: {line}"));
        };
        let everything = *may == "everything";
        let may = match *may {
            "everything" | "nothing of ours" => Vec::new(),
            "" => return Err(format!("an empty cell: write \"nothing of ours\": {line}")),
            names => names.split(',').map(segments).collect(),
        };
        Ok(Self {
            room: segments(room),
            may,
            everything,
        })
    }

    fn allows(&self, target: &[String]) -> bool {
        self.everything || self.may.iter().any(|entry| begins(entry, target))
    }
}

fn begins(entry: &[String], path: &[String]) -> bool {
    entry.len() <= path.len()
        && entry
            .iter()
            .zip(path)
            .all(|(entry, name)| entry == "*" || entry == name)
}

fn segments(name: &str) -> Vec<String> {
    name.trim().trim_matches('`').split('/').map(String::from).collect()
}

fn may_draw(module: &[String]) -> bool {
    match module {
        [first, ..] if first == "ui" => true,
        [first, _, third, ..] => first == "features" && third == "panel",
        _ => false,
    }
}
