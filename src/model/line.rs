//! Foreign text as part of a line of ours.

/// `text` on one line, without what a terminal obeys and what turns the writing around: each run of
/// white space, control and invisible characters becomes a blank, and none stands at an end.
pub fn one_line(text: &str) -> String {
    let separator = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    let words: Vec<&str> = text
        .split(separator)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// What takes no room or turns the writing around would let a message show what it does not say.
pub fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_neither_starts_a_line_nor_steers_the_terminal_nor_turns_the_writing() {
        for (text, shown) in [
            ("it wrote so", "it wrote so"),
            (
                "a\u{1b}[2J\r\nok   session   forged\u{9b}0m\n",
                "a [2J ok session forged 0m",
            ),
            (
                "\u{202e}gnp.exe\u{2066} \u{200b}\u{61c}b\u{85}c\u{2028}",
                "gnp.exe b c",
            ),
            ("\u{feff}\t\u{0} ", ""),
            ("Gr\u{fc}\u{df}e \u{20ac}", "Gr\u{fc}\u{df}e \u{20ac}"),
        ] {
            assert_eq!(one_line(text), shown);
        }
    }
}
