"""What a program can have only one copy of."""

def twice(crates):
    """Finds a crate that is there more than once, among those that a program can have only one copy of.

    Args:
      crates: list[CrateInfo], or of structs with their `name` and `owner`.

    Returns:
      struct(name, owners), owners in the order of their labels, since that of `crates` is rules_rust's own; or None.
    """
    owners = {}
    for crate in crates:
        if crate.name in _ONCE:
            owners.setdefault(crate.name, {})[crate.owner] = None
    for name in _ONCE:
        if len(owners.get(name, {})) > 1:
            return struct(name = name, owners = sorted(owners[name].keys(), key = str))
    return None

# Two of the first do not compile together, or only until they meet. Two of tokio compile, and a socket of the one panics in
# the other.
_ONCE = [
    "ringwire_message",
    "ringwire_rpc",
    "ringwire_service",
    "ringwire_client",
    "ringwire_local",
    "ringwire_tower",
    "ringwire_server",
    "ringwire",
    "buffa",
    "buffa_types",
    "tokio",
]
