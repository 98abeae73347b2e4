//! Two lists of lines, side by side as far as they agree.

/// Lines with a mark each: `-` was expected only, `+` was said only.
pub(super) fn diff<'a>(expected: &'a [String], said: &'a [String]) -> Vec<(char, &'a str)> {
    let (rows, columns) = (expected.len(), said.len());
    // How many lines are in common from each pair of places on.
    let mut common = vec![vec![0_usize; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if expected[row] == said[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut marked = Vec::new();
    while row < rows || column < columns {
        if row < rows && column < columns && expected[row] == said[column] {
            marked.push((' ', expected[row].as_str()));
            (row, column) = (row + 1, column + 1);
        } else if row < rows && (column == columns || common[row + 1][column] >= common[row][column + 1]) {
            marked.push(('-', expected[row].as_str()));
            row += 1;
        } else {
            marked.push(('+', said[column].as_str()));
            column += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    #[test]
    fn common_lines_are_found() {
        check("abc", "abc", " a b c");
        check("abc", "abd", " a b-c+d");
        check("abc", "xabc", "+x a b c");
        check("abcd", "ad", " a-b-c d");
        check("", "a", "+a");
        check("a", "", "-a");
    }

    fn check(expected: &str, said: &str, marked: &str) {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let (expected, said) = (lines(expected), lines(said));
        let found: String =
            super::diff(&expected, &said).iter().map(|(mark, line)| format!("{mark}{line}")).collect();
        assert_eq!(found, marked);
    }
}
