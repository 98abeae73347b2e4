"""What targets say that run only inside the private root."""

# The official programs that tests run against (curl, nginx, ...) are certain to be there, in known versions.
PRIVATE_ROOT = select({
    Label("//tools/root:in_private_root"): [],
    "//conditions:default": ["@platforms//:incompatible"],
})
