"""What is sensed in a picture besides tracked objects; stateful per camera, ahead of the rules, which stay pure."""
