"""The pages: a layout and its callbacks each."""
