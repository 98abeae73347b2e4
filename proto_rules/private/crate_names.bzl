"""What generated crates are called."""

load(":labels.bzl", "typed")

def message_crate_name(label):
    """Returns the name of the crate of a `proto_library`: another one for every label.

    `//proto/greet:greet_proto` is `proto_greet_greet_proto_scu`: the label with `_` for whatever is no letter and no
    digit, and what stood there, one letter each, at the end. So `a-b` and `a_b` differ, and a name can be read.

    Args:
      label: the Label of the `proto_library`.

    Returns:
      A Rust identifier.
    """
    text = "{}:{}".format(label.package, label.name)
    if label.repo_name:
        text = label.repo_name + "//" + text
    readable = ""
    replaced = ""
    for character in text.elems():
        if character.isalnum():
            readable += character
        elif character in _LETTERS:
            readable += "_"
            replaced += _LETTERS[character]
        else:
            fail("{}: no crate can be named after this label, because of {}. ".format(typed(label), repr(character)) +
                 "Give the proto_library a name of ASCII characters.")
    if readable[0].isdigit():
        readable = "_" + readable
    return readable + "_" + replaced

def facade_crate_name(name, crate_name = None):
    """Chooses what users of a `connect_rust_library` write after `use`.

    Args:
      name: the target's name.
      crate_name: what the user asked for instead, or None.

    Returns:
      struct(name, error): the name of the crate, or why there is none.
    """
    chosen = crate_name
    if not chosen:
        chosen = name
        for character in _LETTERS:
            chosen = chosen.replace(character, "_")
    error = _why_no_crate_name(chosen)
    if not error:
        return struct(name = chosen, error = None)
    if crate_name:
        return struct(name = None, error = "crate_name = \"{}\" {}. Choose another one.".format(crate_name, error))
    return struct(
        name = None,
        error = "the crate would be named after the target, but \"{}\" {}. ".format(chosen, error) +
                "Set `crate_name`, for instance to \"{}\".".format(_suggestion(chosen)),
    )

def _why_no_crate_name(name):
    if name in _KEYWORDS:
        return "is a keyword of Rust"
    if name in _SYSROOT:
        return "is a crate that comes with Rust"
    if not name.replace("_", ""):
        return "has no letter"
    if name[0].isdigit():
        return "begins with a digit"
    for character in name.elems():
        if not character.isalnum() and character != "_":
            return "has {} in it".format(repr(character))
    return None

def _suggestion(name):
    return "rust_" + name if name[0].isdigit() else name.strip("_") + "_rust"

# One letter for every character that a label may hold and an identifier may not.
_LETTERS = {
    " ": "b",
    "!": "e",
    "\"": "q",
    "#": "n",
    "$": "m",
    "%": "i",
    "&": "j",
    "'": "k",
    "(": "A",
    ")": "B",
    "*": "g",
    "+": "p",
    ",": "l",
    "-": "h",
    ".": "d",
    "/": "s",
    ":": "c",
    ";": "C",
    "<": "D",
    "=": "E",
    ">": "F",
    "?": "G",
    "@": "a",
    "[": "H",
    "]": "I",
    "^": "J",
    "_": "u",
    "{": "K",
    "|": "L",
    "}": "M",
    "~": "t",
}

_KEYWORDS = [
    "Self",
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
]

_SYSROOT = [
    "alloc",
    "core",
    "proc_macro",
    "std",
    "test",
]
