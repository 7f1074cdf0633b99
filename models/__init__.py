"""Running a model: one `Runner` protocol, OpenVINO in process or a Triton server behind it; the zoo."""
