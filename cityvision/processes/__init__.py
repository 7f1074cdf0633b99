"""The processes that `cityvision up` starts: `python -m cityvision.processes.<name>`.

Each reads its settings from the environment, logs into `data/logs/<name>.jsonl`, says when it is ready by a file
below `data/run`, and ends within two seconds of SIGTERM.
"""
