//! The pages: what clap knows of each command, and for the main page the lists of exit codes, files,
//! variables and keys.

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::cli::{Definition, definition};
use crate::config::{FILES, KEYS, VARIABLES};
use crate::exit::{ExitCode, NeedsPerson};

/// Every key with its meaning and its default; the tests of `config` hold it to the keys.
const EXAMPLE: &str = include_str!("../../../examples/config.toml");

const MANUAL: &str = "story-liker manual";

/// An empty date would vanish, and the next argument take its place.
const NO_DATE: &str = "\"\"";

/// What the program is, for the main page.
const DESCRIPTION: &[&str] = &[
    "One start makes one careful pass and ends: a timer starts it, it looks at what is new, likes it \
     with pauses in between, remembers every request in a small SQLite file, and leaves with an exit \
     code that says whether you are needed.",
    "No window of its limits is ever exceeded, over restarts, crashes and clock changes; no item is \
     liked twice on a guess; and when Instagram objects nothing more is sent until the hold has ended \
     or a person has cleared it.",
];

/// A manual page.
pub(super) struct Page {
    /// The name of its file, with its section.
    pub file: String,
    /// Its roff source.
    pub text: String,
}

/// A page for every command, the main one first.
pub(super) fn pages() -> Vec<Page> {
    let root = definition();
    let mut pages = vec![page(&root, None)];
    below(&root, &mut pages);
    pages
}

fn below(command: &Definition, pages: &mut Vec<Page>) {
    for inner in command.get_subcommands() {
        pages.push(page(inner, Some(command)));
        below(inner, pages);
    }
}

fn page(command: &Definition, above: Option<&Definition>) -> Page {
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone())
        .manual(MANUAL)
        .source(source)
        .date(NO_DATE);
    let mut text = Vec::new();
    let has_subcommands = command.get_subcommands().next().is_some();
    // Writing to a vector cannot fail.
    let _ = man.render_title(&mut text);
    let _ = man.render_name_section(&mut text);
    let _ = man.render_synopsis_section(&mut text);
    if above.is_some() {
        let _ = man.render_description_section(&mut text);
    } else {
        text.extend(description().render().into_bytes());
    }
    if has_subcommands {
        let _ = man.render_subcommands_section(&mut text);
    }
    let _ = man.render_options_section(&mut text);
    let mut own = Roff::new();
    examples(&mut own, command);
    if above.is_none() {
        exit_status(&mut own);
        files(&mut own);
        environment(&mut own);
        configuration(&mut own);
    }
    see_also(&mut own, command, above);
    text.extend(own.render().into_bytes());
    Page {
        file: man.get_filename(),
        text: with_one_preamble(&String::from_utf8_lossy(&text)),
    }
}

/// Each part comes with the same definition of an apostrophe; one at the top will do.
fn with_one_preamble(text: &str) -> String {
    let preamble = Roff::new().render();
    preamble.clone() + &text.replace(&preamble, "")
}

fn description() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    for (at, paragraph) in DESCRIPTION.iter().enumerate() {
        if at > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(*paragraph)]);
    }
    roff
}

fn verbatim(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn entry(roff: &mut Roff, head: &str, body: &str) {
    roff.control("TP", []);
    roff.text([bold(head)]);
    roff.text([roman(body)]);
}

fn examples(roff: &mut Roff, command: &Definition) {
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        roff.control("SH", ["EXAMPLES"]);
        verbatim(roff, after.trim_start_matches("Examples:\n"));
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    roff.text([roman(
        "When several apply, the one that stands later in this list wins.",
    )]);
    for code in ExitCode::ALL {
        let person = match code.needs_person() {
            NeedsPerson::No => "",
            NeedsPerson::Look => " (deserves a look)",
            NeedsPerson::Maybe => " (may need a person)",
            NeedsPerson::Yes => " (needs a person)",
        };
        entry(
            roff,
            &code.to_string(),
            &format!("{}{person}", code.meaning()),
        );
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for file in FILES {
        roff.control("TP", []);
        roff.text([italic(file.place)]);
        roff.text([roman(file.meaning)]);
    }
}

fn environment(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "A flag goes before a variable, a variable before the file. An empty variable counts as \
         not set.",
    )]);
    for variable in VARIABLES {
        entry(roff, variable.name, variable.meaning);
    }
    for key in KEYS {
        entry(roff, &key.variable(), &format!("Sets the key {}", key.name));
    }
}

fn configuration(roff: &mut Roff) {
    roff.control("SH", ["CONFIGURATION"]);
    roff.text([roman("Every key with its meaning and its default:")]);
    roff.control("PP", []);
    verbatim(roff, EXAMPLE);
}

fn see_also(roff: &mut Roff, command: &Definition, above: Option<&Definition>) {
    let name = |command: &Definition| {
        let name = command.get_display_name();
        name.unwrap_or_else(|| command.get_name()).to_owned()
    };
    let neighbours = above.into_iter().chain(command.get_subcommands());
    let mut names: Vec<String> = neighbours.map(name).collect();
    let root = env!("CARGO_PKG_NAME");
    if above.is_some() && !names.iter().any(|name| name == root) {
        names.insert(0, root.to_owned());
    }
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for name in names {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman("(1)")]);
    }
    roff.text(line);
}
