"""The demo: the main job on text that is found on any machine."""
