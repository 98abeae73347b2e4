//! What a page of Markdown promises: commands, links, headings.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// What follows the opening fence, such as `sh run`.
    pub info: &'a str,
    /// The line of the opening fence, counted from one.
    pub line: usize,
    /// The lines between the fences.
    pub lines: Vec<&'a str>,
}

/// A command that a reader may run, with its line.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// The line where it starts, counted from one.
    pub line: usize,
    /// The command, on one line.
    pub text: String,
}

/// The fenced blocks of a page.
pub fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut fences = Vec::new();
    let mut open: Option<Fence<'_>> = None;
    for (at, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (open.take(), fence) {
            (None, Some(info)) => open = Some(Fence { info: info.trim(), line: at + 1, lines: Vec::new() }),
            (Some(block), Some(_)) => fences.push(block),
            (Some(mut block), None) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    fences.extend(open);
    fences
}

/// The commands in blocks that are marked `sh run`.
pub fn commands(text: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for fence in fences(text).into_iter().filter(|fence| fence.info == RUNNABLE) {
        let mut goes_on = false;
        for (at, line) in fence.lines.iter().enumerate() {
            let text = line.trim();
            let (text, more) = text.strip_suffix('\\').map_or((text, false), |text| (text.trim_end(), true));
            match commands.last_mut().filter(|_| goes_on) {
                Some(command) => command.text = format!("{} {text}", command.text),
                None if text.is_empty() || text.starts_with('#') => continue,
                None => commands.push(Command { line: fence.line + 1 + at, text: text.to_owned() }),
            }
            goes_on = more;
        }
    }
    commands
}

/// The targets of links, with their lines.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (at, line) in prose(text).lines().enumerate() {
        for (open, _) in line.match_indices("](") {
            let rest = &line[open + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            links.push((at + 1, target.trim_matches(['<', '>']).to_owned()));
        }
        if line.starts_with('[')
            && let Some((_, target)) = line.split_once("]: ")
        {
            links.push((at + 1, target.split_whitespace().next().unwrap_or_default().to_owned()));
        }
    }
    links
}

/// The anchors of a page's headings.
pub fn anchors(text: &str) -> Vec<String> {
    let fenced = fences(text);
    let inside = |line: usize| fenced.iter().any(|f| f.line <= line && line <= f.line + f.lines.len());
    let headings = text.lines().enumerate().filter(|(at, line)| line.starts_with('#') && !inside(at + 1));
    headings
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// The text between backticks, with its line.
pub fn code_words(text: &str) -> Vec<(usize, &str)> {
    let fenced = fences(text);
    let inside = |line: usize| fenced.iter().any(|f| f.line <= line && line <= f.line + f.lines.len() + 1);
    let lines = text.lines().enumerate().filter(|(at, _)| !inside(at + 1));
    lines.flat_map(|(at, line)| line.split('`').skip(1).step_by(2).map(move |word| (at + 1, word))).collect()
}

/// The page with its code blanked.
fn prose(text: &str) -> String {
    let fenced = fences(text);
    let inside = |line: usize| fenced.iter().any(|f| f.line <= line && line <= f.line + f.lines.len() + 1);
    let mut prose = String::new();
    for (at, line) in text.lines().enumerate() {
        if !inside(at + 1) {
            for (nth, part) in line.split('`').enumerate() {
                prose.push_str(if nth % 2 == 0 { part } else { "code" });
            }
        }
        prose.push('\n');
    }
    prose
}

/// How a block is marked whose commands are run.
const RUNNABLE: &str = "sh run";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_marked_blocks_are_read() {
        let text =
            "# A\n```sh run\n# why\ntools/bazel test //...\n\ncargo run \\\n    -p x\n```\n```sh\nno\n```\n";
        let expected = [(4, "tools/bazel test //..."), (6, "cargo run -p x")];
        let commands = commands(text);
        assert_eq!(commands.iter().map(|c| (c.line, c.text.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn links_outside_of_code_are_read() {
        let text = "[a](b.md#c) `[no](x)` ![i](<p.png>)\n```text\n[no](y)\n```\n[r]: z.md \"title\"\n";
        let expected = [(1, "b.md#c".to_owned()), (1, "p.png".to_owned()), (5, "z.md".to_owned())];
        assert_eq!(links(text), expected);
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchors("# A `b` c!\n```sh\n# no\n```\n## D-e_f\n"), ["a-b-c", "d-e_f"]);
    }

    #[test]
    fn words_of_code_are_read() {
        assert_eq!(code_words("a `b/` c `d`\n```\n`no`\n```\n"), [(1, "b/"), (1, "d")]);
    }
}
