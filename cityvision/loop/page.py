"""The loop's last page: what it came to, and every line of the ledger; the cards of both candidates lie beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from algorithm_repo.judging.page import document, listed
from cityvision.loop.types import LoopResult


def page(result: LoopResult, steps: Sequence[str], ledger: Sequence[str], cards: Sequence[tuple[str, str]]) -> str:
    """The whole file.

    Args:
        steps: what was done, in words.
        ledger: its lines in words, the oldest first.
        cards: title and file name of each candidate's.
    """
    short = result.fell_short()
    links = "".join(f'<li><a href="{escape(file)}">{escape(title)}</a></li>' for title, file in cards)
    done = "".join(f"<li>{escape(step)}</li>" for step in steps)
    parts = (
        listed(short, "no") if short else '<p class="yes">Everything that it should show, it shows.</p>',
        f"<ol>{done}</ol><ul>{links}</ul><h2>Ledger</h2>",
        f"<pre>{escape(chr(10).join(ledger))}</pre><h2>Figures</h2>",
        f"<pre>{escape(result.model_dump_json(indent=1))}</pre>",
    )
    return document("The loop", parts)
