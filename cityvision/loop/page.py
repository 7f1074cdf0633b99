"""The loop's last page: what it came to, and every line of the ledger; the cards of both candidates lie beside it."""

from __future__ import annotations

import html
from collections.abc import Sequence

from cityvision.loop.types import LoopResult

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The loop</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
pre{white-space:pre-wrap}.no{color:#a00}.yes{color:#060}</style><h1>The loop</h1>"""


def page(result: LoopResult, steps: Sequence[str], ledger: Sequence[str], cards: Sequence[tuple[str, str]]) -> str:
    """The whole file.

    Args:
        steps: what was done, in words.
        ledger: its lines in words, the oldest first.
        cards: title and file name of each candidate's.
    """
    short = result.fell_short()
    outcome = "".join(f'<li class="no">{html.escape(one)}</li>' for one in short)
    links = "".join(f'<li><a href="{html.escape(file)}">{html.escape(title)}</a></li>' for title, file in cards)
    done = "".join(f"<li>{html.escape(step)}</li>" for step in steps)
    return "\n".join(
        (
            _HEAD,
            f"<ul>{outcome}</ul>" if short else '<p class="yes">Everything that it should show, it shows.</p>',
            f"<ol>{done}</ol><ul>{links}</ul><h2>Ledger</h2>",
            f"<pre>{html.escape(chr(10).join(ledger))}</pre><h2>Figures</h2>",
            f"<pre>{html.escape(result.model_dump_json(indent=1))}</pre>",
        )
    )
