"""Methods that score every item for a listener, behind one interface."""
