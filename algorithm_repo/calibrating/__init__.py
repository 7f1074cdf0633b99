"""Fitting confidences and operating points to events of labelled clips; the result ships in `pipeline.calibration`."""
