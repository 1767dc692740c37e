"""Documents lead somewhere."""

import re

from tests.tidy.tree import ROOT, text, tracked

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def test_links_between_documents_lead_to_something_that_is_there() -> None:
    """Every relative link in a Markdown file names a file or folder of the repository."""
    lost = [
        f"{name}: {target}"
        for name in tracked()
        if name.endswith(".md")
        for target in _LINK.findall(text(name))
        if "://" not in target and not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert lost == []
