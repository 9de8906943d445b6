//! Likes by hour of the day, drawn with plain characters: it needs neither colours nor a font.

/// How many lines the highest bar has.
const HEIGHT: u32 = 6;
/// Columns left of the bars.
const MARGIN: usize = 6;

/// A chart of 24 bars, as wide as the terminal allows, each line with its end.
pub(super) fn by_hour(hours: &[u32], width: usize) -> String {
    let column = (width.saturating_sub(MARGIN) / 24).clamp(1, 3);
    let bar = "#".repeat(column.saturating_sub(1).max(1));
    let most = hours.iter().copied().max().unwrap_or(0).max(1);
    let mut text = String::new();
    for line in (1..=HEIGHT).rev() {
        // A bar reaches this line if it is higher than the line's foot.
        let foot = most * (line - 1);
        let label = if line == HEIGHT {
            most.to_string()
        } else {
            String::new()
        };
        let mut bars = String::new();
        for likes in hours {
            let drawn = if likes * HEIGHT > foot {
                bar.as_str()
            } else {
                ""
            };
            bars.push_str(&format!("{drawn:<column$}"));
        }
        text.push_str(format!("{label:>4} |{bars}").trim_end());
        text.push('\n');
    }
    text.push_str(&format!("     +{}\n", "-".repeat(24 * column)));
    let every = if column == 1 { 6 } else { 3 };
    let mut scale = String::new();
    for hour in (0..24).step_by(every) {
        scale.push_str(&format!("{hour:<space$}", space = column * every));
    }
    text.push_str(&format!("      {}\n", scale.trim_end()));
    text
}

#[cfg(test)]
mod tests {
    use super::by_hour;

    #[test]
    fn every_bar_is_as_high_as_its_hour_and_the_chart_as_wide_as_it_may() {
        let mut hours = vec![0; 24];
        (hours[0], hours[1], hours[23]) = (6, 3, 1);
        let narrow = by_hour(&hours, 40);
        let expected = "   6 |#
     |#
     |#
     |##
     |##
     |##                     #
     +------------------------
      0     6     12    18
";
        assert_eq!(narrow, expected);
        for (width, widest) in [(0, 30), (40, 30), (60, 54), (80, 78), (200, 78)] {
            let chart = by_hour(&hours, width);
            let longest = chart.lines().map(str::len).max();
            assert_eq!(longest, Some(widest), "{width}:\n{chart}");
        }
    }

    #[test]
    fn without_a_like_there_is_no_bar() {
        assert!(!by_hour(&[0; 24], 80).contains('#'));
    }
}
