"""Versions of training data in the formats of other people's software, written and read: YOLO, COCO, CVAT."""
