//! Pages keep their promises: commands are run, links and folders lead somewhere.
//!
//! A block marked `sh run` holds commands that CI runs as they stand: `.ci/run` gets them from
//! `ringwire-tidy readme-commands`.

use crate::manifests::crate_name;
use crate::markdown::{Command, anchors, code_words, commands, links};
use crate::reach::normal;
use crate::tree::join;
use crate::{File, Finding, Tree, starlark, toml};

/// Finds commands that CI does not run or that name what is not there, dead links, and folders that a map has wrong.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for page in pages(tree) {
        found.extend(commands(&page.text).iter().flat_map(|command| promises(tree, page, command)));
        found.extend(links(&page.text).iter().filter_map(|(line, target)| dead(tree, page, *line, target)));
    }
    found.extend(MAPS.iter().filter_map(|path| tree.get(path)).flat_map(|page| wrong_places(tree, page)));
    found.extend(unmapped(tree));
    found
}

/// The commands of every page that CI runs, in the order of the pages, each once.
pub fn runnable(tree: &Tree) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for command in pages(tree).flat_map(|page| commands(&page.text)) {
        if !all.contains(&command.text) {
            all.push(command.text);
        }
    }
    all
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.ends_with(".md") && !file.is_data())
}

fn promises(tree: &Tree, page: &File, command: &Command) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut report = |token: &str, advice: &str| {
        found.push(Finding::new(&page.path, command.line, token, advice.to_owned()));
    };
    let ci = tree.get(CI).map_or("", |file| file.text.as_str());
    if !ci.contains("readme-commands") && !ci.contains(&command.text) {
        report(
            &command.text,
            "is marked runnable and `.ci/run` does not run it; let CI run what `ringwire-tidy readme-commands` prints",
        );
    }
    for part in command.text.split(['|', ';', '&']) {
        let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let is_cargo = words.first() == Some(&"cargo");
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |at| words[at]);
            if word.starts_with("//") && !label_exists(tree, page, word) {
                report(word, "is not a target of this workspace");
            }
            if is_cargo && ["-p", "--package"].contains(&before) && !has_crate(tree, word) {
                report(word, "is not a crate of this workspace");
            }
            let is_path = at == 0 && word.contains('/') || before == "cd";
            if is_path && !word.starts_with(['/', '~', '$']) {
                let path = normal(word);
                if !tree.has_file(&path) && !tree.has_folder(&path) {
                    report(word, "is not a path of this workspace");
                }
            }
        }
    }
    found
}

fn label_exists(tree: &Tree, page: &File, label: &str) -> bool {
    let label = join(tree.module_of(page.folder()), label.trim_start_matches('/'));
    if let Some(folder) = label.strip_suffix("...") {
        return tree.has_folder(folder.trim_end_matches('/'));
    }
    let (package, target) =
        label.split_once(':').unwrap_or((&label, label.rsplit('/').next().unwrap_or_default()));
    let package = package.trim_end_matches('/');
    let Some(build) = tree.get(&join(package, "BUILD.bazel")) else { return false };
    let statements = starlark::parse(&build.text).unwrap_or_default();
    let named = starlark::calls(&statements).any(|call| call.text("name") == Some(target));
    named || target == "all" || tree.has_file(&join(package, target))
}

fn has_crate(tree: &Tree, name: &str) -> bool {
    let Some(Ok(workspace)) = tree.get("Cargo.toml").map(|file| toml::parse(&file.text)) else {
        return false;
    };
    let folders = crate::manifests::member_folders(&workspace);
    folders.iter().any(|folder| crate_name(tree, folder).as_deref() == Some(name))
}

fn dead(tree: &Tree, page: &File, line: usize, target: &str) -> Option<Finding> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match path {
        "" => page.path.clone(),
        path => normal(&join(page.folder(), path)),
    };
    if !tree.has_file(&path) && !tree.has_folder(&path) {
        return Some(Finding::new(&page.path, line, target, "leads nowhere; a link is relative to its page"));
    }
    let headings = tree.get(&path).filter(|file| file.path.ends_with(".md")).map(|file| anchors(&file.text));
    let missing =
        !anchor.is_empty() && headings.is_some_and(|headings| !headings.iter().any(|h| h == anchor));
    missing.then(|| Finding::new(&page.path, line, target, "names a heading that the page does not have"))
}

/// Paths between backticks that start with a folder of the workspace and are not there.
fn wrong_places(tree: &Tree, page: &File) -> Vec<Finding> {
    let is_path =
        |word: &str| word.contains('/') && word.chars().all(|c| c.is_alphanumeric() || "/_.-".contains(c));
    let lost = |word: &str| {
        let path = normal(word);
        let known = tree.has_folder(path.split('/').next().unwrap_or_default()) || word.ends_with('/');
        let near = join(page.folder(), &path);
        known && ![&path, &near].iter().any(|path| tree.has_file(path) || tree.has_folder(path))
    };
    let words =
        code_words(&page.text).into_iter().filter(|(_, word)| is_path(word) && !word.starts_with('/'));
    words
        .filter(|(_, word)| lost(word))
        .map(|(line, word)| Finding::new(&page.path, line, word, "is not in the workspace; correct the map"))
        .collect()
}

/// Folders that the map of the front page leaves out.
fn unmapped(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.get("README.md") else { return Vec::new() };
    let named: Vec<String> = code_words(&page.text).into_iter().map(|(_, word)| normal(word)).collect();
    let shown = tree.top_folders().filter(|folder| !folder.starts_with('.'));
    shown
        .filter(|folder| !named.iter().any(|name| name == folder || name.starts_with(&format!("{folder}/"))))
        .map(|folder| Finding::new(&page.path, 1, folder, "is a folder that the map leaves out"))
        .collect()
}

const CI: &str = ".ci/run";
const MAPS: &[&str] = &["README.md", "CONTRIBUTING.md", "runtime/README.md"];

#[cfg(test)]
mod tests;
