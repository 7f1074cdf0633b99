"""Making a viewing copy in a process of its own: bytes of a camera's clip are decoded outside the API.

`python -m cityvision.viewing_copy` reads an MP4 from stdin and writes the H.264 copy to stdout.
"""

from __future__ import annotations

import subprocess
import sys

from contracts.errors import StreamCorrupt

TIMEOUT_S = 60.0
_CORRUPT = 3


def convert(mp4: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
    """An MP4 that browsers play, made from one that they do not.

    Raises:
        StreamCorrupt: nothing can be decoded, or the decoder crashed on it.
        TimeoutError: it took longer than `timeout_s`; the process was killed.
    """
    command = [sys.executable, "-m", "cityvision.viewing_copy"]
    try:
        done = subprocess.run(command, input=mp4, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"a viewing copy was not made within {timeout_s:.0f} s") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == _CORRUPT:
        raise StreamCorrupt(done.stderr.decode(errors="replace").strip()[-200:] or "the clip cannot be decoded")
    raise StreamCorrupt(f"the converter ended with status {done.returncode}")


def main() -> int:
    """The child's side."""
    from pipeline.source.remux import make_proxy

    try:
        copy = make_proxy(sys.stdin.buffer.read())
    except StreamCorrupt as error:
        sys.stderr.write(error.message)
        return _CORRUPT
    sys.stdout.buffer.write(copy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
