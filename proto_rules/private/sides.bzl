"""The sides of a service that are generated."""

# By side, the attribute of connect_rust_toolchain that holds what it links.
RUNTIMES = {
    "client": "client_runtime",
    "server": "service_runtime",
}

def chosen_sides(services, available, toolchain):
    """Chooses the sides to generate.

    Args:
      services: the sides that a user asked for, or None for all that there are.
      available: the sides that the toolchain has a runtime for.
      toolchain: what to call the toolchain.

    Returns:
      struct(sides, error): the sides, sorted; or why there are none.
    """
    if services == None:
        return struct(error = None, sides = sorted(available))
    for side in services:
        problem = "services = {} ".format(services)
        if side not in RUNTIMES:
            return struct(
                error = problem + "has \"{}\" in it. The sides of a service are {}; an empty list leaves the messages.".format(
                    side,
                    " and ".join(sorted(RUNTIMES)),
                ),
                sides = None,
            )
        if side not in available:
            return struct(
                error = problem + ("asks for \"{side}\", and the toolchain {toolchain} has no `{runtime}`. Add it there, or " +
                                   "remove \"{side}\" here.").format(
                    runtime = RUNTIMES[side],
                    side = side,
                    toolchain = toolchain,
                ),
                sides = None,
            )
    return struct(error = None, sides = sorted({side: None for side in services}))
