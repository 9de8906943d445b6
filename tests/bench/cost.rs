//! What the program costs, as one table: what, target, measured, verdict.
//!
//! ```text
//! cargo bench --bench cost                        everything; ten million posts, about ten minutes
//! cargo bench --bench cost -- --posts 1000000     the same with a ledger a tenth as large
//! cargo bench --bench cost -- pass month          only these parts
//! ```
//!
//! Nothing here is a test: a busy machine makes it slow, not red. What can be compared is compared
//! within one run, turn by turn, and told as a ratio of medians; what can be counted is counted.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "../practice_support/mod.rs"]
mod practice_support;
#[path = "../support/relay.rs"]
#[allow(dead_code)]
mod relay;

mod bare;
mod lab;
mod ledger;
mod measure;
mod month;
mod pass;
mod start;
mod table;

use table::Table;

/// Measures something and adds its lines.
type Part = fn(&Asked, &mut Table);

/// Every part, in the order of the table.
const PARTS: [(&str, Part); 4] = [
    ("start", start::measure),
    ("pass", pass::measure),
    ("month", month::measure),
    ("ledger", ledger::measure),
];

/// What the command line asks for.
struct Asked {
    parts: Vec<String>,
    /// Posts in the large ledger.
    posts: u64,
    /// Attempts in the large ledger.
    attempts: u64,
}

impl Asked {
    fn read(arguments: &[String]) -> Self {
        let number = |flag: &str, default: u64| {
            let place = arguments.iter().position(|argument| argument == flag);
            place.map_or(default, |place| {
                let value = arguments.get(place + 1).and_then(|text| text.parse().ok());
                value.unwrap_or_else(|| panic!("{flag} takes a number"))
            })
        };
        let known = |name: &&String| PARTS.iter().any(|(part, _)| part == name);
        Self {
            parts: arguments.iter().filter(known).cloned().collect(),
            posts: number("--posts", 10_000_000),
            attempts: number("--attempts", 1_000_000),
        }
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == bare::NAME) {
        return bare::run(&arguments[1]);
    }
    // `cargo test --all-targets` runs this program as well, without this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("the benchmark runs with: cargo bench --bench cost");
        return;
    }
    let asked = Asked::read(&arguments);
    let mut table = Table::default();
    for (name, measure) in PARTS {
        if asked.wants(name) {
            eprintln!("measuring: {name}");
            measure(&asked, &mut table);
        }
    }
    let cores = std::thread::available_parallelism().unwrap();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} cores, load {}\n\n{table}", load.trim());
}
