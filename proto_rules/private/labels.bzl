"""Labels, as a user types them."""

def typed(label):
    """Returns a label without the `@@` that Bazel puts before those of the main repository.

    Args:
      label: the Label.

    Returns:
      A string.
    """
    text = str(label)
    return text.lstrip("@") if text.startswith(("@//", "@@//")) else text
