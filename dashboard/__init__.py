"""The web application: pages, the player and its HTTP interface."""
