//! Every action that a panel brings, its key pressed in the panel, and what only this action shows. Not for the keys that
//! all panels have in common.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossterm::event::KeyCode;

use cogdeck::core::clock::Clock;
use cogdeck::features::{Features, Shared};
use cogdeck::feed::Hub;
use cogdeck::ui::console::approval::LOOK;
use cogdeck::ui::console::keymap::{Action, Part};

use crate::deck::Deck;
use crate::support::console::{asked, chat};

/// What an action shows that no other one does.
enum Shows {
    /// A line that begins so, in the chat or asked about over it.
    Runs(&'static str),
    /// The same, where the answer is so long that its line has left the screen: it is the last of the history.
    Pages(&'static str),
    /// The input line, to be finished.
    Composes(&'static str),
    /// The clipboard has it.
    Copies(&'static str),
    /// A text of the screen.
    Says(&'static str),
    /// The pane of this number has the keys, and this text.
    Opens(usize, &'static str),
    /// The terminal is another program's, until it ends.
    HasTheTerminal,
}
use Shows::{Composes, Copies, HasTheTerminal, Opens, Pages, Runs, Says};

/// A panel, what stands in its title, the keys to the place where its actions are, and those.
struct Place {
    panel: &'static str,
    way: &'static str,
    there: &'static str,
    actions: &'static [(&'static str, char, Shows)],
}

const PLACES: [Place; 12] = [
    Place {
        panel: "deployments",
        way: "/alpha\r",
        there: "/alpha 1",
        actions: &[
            ("rollout", 'r', Opens(3, "3 rollout alpha")),
            ("hold", 'p', Says("the rollout panel stays on alpha")),
            ("hold", 'p', Says("the rollout panel follows the last change again")),
            ("describe", 'd', Runs("kubectl:describe deploy alpha")),
            ("sets", 'o', Says("replica sets of alpha")),
            ("logs", 'l', Runs("kubectl:logs deploy/alpha")),
            ("shell", 's', HasTheTerminal),
            ("scale", 'S', Composes("kubectl:scale deploy alpha --replicas=1")),
            (
                "image",
                'I',
                Composes("kubectl:set-image deploy alpha alpha=so0k/kuar-inspector:1.0.0"),
            ),
            (
                "expose",
                'x',
                Composes("kubectl:expose deploy alpha --type=LoadBalancer"),
            ),
            ("undo", 'u', Runs("kubectl:rollout-undo deploy alpha")),
            ("yaml", 'v', Pages("kubectl:get deploy alpha --output=yaml")),
            ("edit", 'e', Runs("kubectl:edit deploy alpha")),
            ("copy", 'y', Copies("alpha")),
            ("delete", 'D', Runs("kubectl:delete deploy alpha")),
        ],
    },
    Place {
        panel: "rollout",
        way: "",
        there: "rollout ",
        actions: &[
            ("describe", 'd', Runs("kubectl:describe po ")),
            ("logs", 'l', Runs("kubectl:logs ")),
            ("history", 'H', Runs("kubectl:rollout-history deploy ")),
            ("undo", 'u', Runs("kubectl:rollout-undo deploy ")),
            ("shell", 's', HasTheTerminal),
            ("yaml", 'v', Pages("kubectl:get po ")),
            ("edit", 'e', Runs("kubectl:edit po ")),
            ("copy", 'y', Copies("")),
            ("hold", 'p', Says("the rollout panel stays on ")),
            ("hold", 'p', Says("the rollout panel follows the last change again")),
        ],
    },
    Place {
        panel: "pods",
        way: "/beta\r",
        there: "/beta 1",
        actions: &[
            ("describe", 'd', Runs("kubectl:describe po beta-")),
            ("containers", 'c', Says("containers of beta-")),
            ("logs", 'l', Runs("kubectl:logs beta-")),
            ("shell", 's', HasTheTerminal),
            ("yaml", 'v', Pages("kubectl:get po beta-")),
            ("edit", 'e', Runs("kubectl:edit po beta-")),
            ("copy", 'y', Copies("beta-")),
            ("delete", 'D', Runs("kubectl:delete po beta-")),
        ],
    },
    Place {
        panel: "pods",
        way: "/beta\rc",
        there: "containers of beta-",
        actions: &[
            ("logs", 'l', Runs("kubectl:logs beta-")),
            ("previous", 'p', Runs("kubectl:logs beta-")),
            ("describe", 'd', Runs("kubectl:describe po beta-")),
            ("yaml", 'v', Pages("kubectl:get po beta-")),
            ("edit", 'e', Runs("kubectl:edit po beta-")),
            ("shell", 's', HasTheTerminal),
            ("copy", 'y', Copies("beta")),
        ],
    },
    Place {
        panel: "services",
        way: "/alpha\r",
        there: "/alpha 1",
        actions: &[
            ("describe", 'd', Runs("kubectl:describe svc alpha")),
            ("traffic", 't', Composes("traffic:watch http://")),
            ("logs", 'l', Runs("kubectl:logs svc/alpha")),
            ("shell", 's', HasTheTerminal),
            ("yaml", 'v', Pages("kubectl:get svc alpha --output=yaml")),
            ("edit", 'e', Runs("kubectl:edit svc alpha")),
            ("copy", 'y', Copies("alpha")),
            ("copy-address", 'Y', Copies("a")),
            ("delete", 'D', Runs("kubectl:delete svc alpha")),
        ],
    },
    Place {
        panel: "events",
        way: "/Scaled\r",
        there: "/Scaled",
        actions: &[
            ("describe", 'd', Runs("kubectl:describe deployment/")),
            ("logs", 'l', Runs("kubectl:logs deployment/")),
            ("edit", 'e', Runs("kubectl:edit deployment/")),
            ("copy", 'y', Copies("Scaled up replica set")),
        ],
    },
    Place {
        panel: "nodes",
        way: "",
        there: "nodes",
        actions: &[
            ("open", 'o', Says("pods of ")),
            ("describe", 'd', Runs("kubectl:describe nodes ")),
            ("cordon", 'c', Runs("kubectl:cordon ")),
            ("uncordon", 'u', Runs("kubectl:uncordon ")),
            ("drain", 'X', Runs("kubectl:drain ")),
            ("yaml", 'v', Pages("kubectl:get nodes ")),
            ("edit", 'e', Runs("kubectl:edit nodes ")),
            ("copy", 'y', Copies("ip-")),
            ("delete", 'D', Runs("kubectl:delete nodes ")),
        ],
    },
    Place {
        panel: "replicasets",
        way: "/beta\r",
        there: "/beta 1",
        actions: &[
            ("open", 'o', Says("pods of beta-")),
            ("describe", 'd', Runs("kubectl:describe replicasets.apps beta-")),
            ("logs", 'l', Runs("kubectl:logs replicasets.apps/beta-")),
            ("shell", 's', HasTheTerminal),
            ("edit", 'e', Runs("kubectl:edit replicasets.apps beta-")),
            ("yaml", 'v', Pages("kubectl:get replicasets.apps beta-")),
            ("copy", 'y', Copies("beta-")),
            ("delete", 'D', Runs("kubectl:delete replicasets.apps beta-")),
        ],
    },
    Place {
        panel: "dns",
        way: "/tried\r",
        there: "/tried",
        actions: &[
            ("dig", 'd', Runs("net:dig ")),
            ("delete", 'D', Runs("r53:record-delete ")),
            ("copy", 'y', Copies("192.0.2.7")),
        ],
    },
    Place {
        panel: "instances",
        way: "",
        there: "instances",
        actions: &[
            ("show", 'd', Runs("ec2:instance-search instance-id=i-")),
            ("copy", 'y', Copies("203.0.113.")),
            ("copy-id", 'Y', Copies("i-")),
        ],
    },
    Place {
        panel: "jobs",
        way: "/sleep\r",
        there: "/sleep",
        actions: &[
            ("info", 'd', Runs("pipeline-info ")),
            ("copy", 'y', Copies("sh 'sleep 3000'")),
            ("stop", 'x', Runs("pipeline-kill ")),
        ],
    },
    Place {
        panel: "audit",
        way: "",
        there: "audit",
        actions: &[
            ("show", 'd', Runs("audit --limit=500 | jq")),
            ("undo", 'u', Runs("undo ")),
            ("copy", 'y', Copies("")),
        ],
    },
];

/// What a panel is called whose actions change with what it shows.
const OBJECTS: [&str; 3] = ["nodes", "replicasets", "pods"];

impl Deck {
    /// What the actions need: a service with an address, a record, a job, an event.
    pub fn furnish(&self) {
        self.run("kubectl:expose deploy alpha --type=LoadBalancer --port=80");
        self.see("service/alpha exposed");
        self.run("r53:record-create -z Z37AJ8CHRUEZC6 -t A tried.spawnhub.com 192.0.2.7 --wait");
        self.see("INSYNC");
        self.run("kubectl:wait svc alpha --for=jsonpath='{.status.loadBalancer.ingress[0].hostname}'");
        self.see("condition met");
        self.run("sh 'sleep 3000' &");
        self.see("1 running");
    }

    /// Every action of every panel, pressed where it is.
    pub fn every_action_of_the_panels(&self) {
        let mut failed = Vec::new();
        for place in PLACES {
            for (action, key, shows) in place.actions {
                let name = format!("{key} in {}: {action}", place.panel);
                self.trying.borrow_mut().clone_from(&name);
                let tried = catch_unwind(AssertUnwindSafe(|| self.try_in(&place, *key, shows)));
                if tried.is_err() {
                    failed.push(name);
                }
                assert!(failed.len() < 8, "{failed:#?}");
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }

    /// Goes to the panel's row and presses the key.
    fn try_in(&self, place: &Place, key: char, shows: &Shows) {
        self.reset();
        // The last block of the chat is another one before the key.
        self.fresh();
        self.run(&format!(":{}", place.panel));
        // Not every panel has a number; the input line has no name.
        let is_panel = |title: String| title.contains(char::is_alphabetic) && !title.starts_with("1 chat");
        self.until("the panel has the keys", |_| self.title().is_some_and(is_panel));
        self.terminal.key(KeyCode::Home);
        let row = |_: &str| place.panel == "rollout" || !self.selected().is_empty();
        self.until("a row", row);
        let there = |_: &str| self.title().is_some_and(|title| title.contains(place.there));
        // A filter stays until it is taken away.
        let (filter, on) = place.way.split_once('\r').unwrap_or_default();
        if !filter.is_empty() && !self.title().is_some_and(|title| title.contains(filter)) {
            self.terminal.type_text(filter);
            self.terminal.send(b"\r");
            self.until(filter, |_| self.title().is_some_and(|title| title.contains(filter)));
        }
        self.terminal.type_text(on);
        // Its title comes before its rows, and a key on no row does nothing.
        self.until(place.there, there);
        self.until("a row there", row);
        self.shows(key, shows);
    }

    fn shows(&self, key: char, shows: &Shows) {
        let mark = self.terminal.mark();
        // Letters that come as fast as a word would be taken for one; this key ends it.
        self.terminal.key(KeyCode::Home);
        self.terminal.type_text(&key.to_string());
        match shows {
            Runs(line) => drop(self.until(line, |screen| runs(screen, line))),
            Pages(line) => {
                self.reset();
                self.act(Part::Input, Action::HistoryPrevious);
                self.until(line, |_| self.line().replace('\n', " ").starts_with(line));
            }
            Composes(line) => drop(self.until(line, |_| self.line().replace('\n', " ").starts_with(line))),
            Copies(text) => self.copies_what(mark, text, |copied| copied.starts_with(text)),
            Says(text) => drop(self.see(text)),
            Opens(pane, text) => {
                self.see(text);
                self.focus_is(*pane);
            }
            HasTheTerminal => {
                self.see("Enter applies it");
                // An Enter that comes as soon as the plan counts for nothing.
                std::thread::sleep(LOOK);
                self.terminal.send(b"\r");
                asked(&self.terminal);
                self.terminal.type_text("exit\n");
                self.see("1 chat");
            }
        }
    }
}

/// Whether a line runs, or its plan is asked about: its box, which covers the block, names the verb and the object.
fn runs(screen: &str, line: &str) -> bool {
    let asked: Vec<&str> = screen.lines().skip_while(|row| !row.starts_with("╭ approve")).collect();
    let verb = line.split(' ').next().unwrap_or_default();
    let object = line.split(['/', ' ']).next_back().unwrap_or_default();
    let has = |text: &str| asked.iter().any(|row| chat(row).contains(text));
    (has(&format!("({verb},")) && has(object)) || last_line(screen).starts_with(line)
}

/// The line of the last block in the chat.
fn last_line(screen: &str) -> String {
    let mut rows = screen.lines().rev().map(chat).map(str::trim_start);
    // The input line stands below the chat.
    let below = rows.by_ref().find(|row| row.starts_with("╭"));
    let header = below.and_then(|_| rows.find_map(|row| row.strip_prefix("❯ ")));
    header.unwrap_or_default().to_owned()
}

#[test]
fn every_action_of_every_panel_by_its_key() {
    let deck = Deck::open("default");
    deck.furnish();
    deck.every_action_of_the_panels();
}

/// Every action that a panel has is in the table, with its key.
#[test]
fn the_table_has_every_action_of_every_panel() {
    let features = Features::new(Shared::alone(Hub::new(Clock::real()), Clock::real()));
    for panel in features.panels() {
        let tried: BTreeSet<(&str, char)> = PLACES
            .iter()
            .filter(|place| place.panel == panel.id() || panel.id() == "objects" && OBJECTS.contains(&place.panel))
            .flat_map(|place| place.actions.iter().map(|(action, key, _)| (*action, *key)))
            .collect();
        for action in panel.all_actions() {
            let known = tried.contains(&(action.name, action.key)) || action.name == "pods";
            assert!(known, "{} of {} is not tried", action.name, panel.id());
        }
    }
}
