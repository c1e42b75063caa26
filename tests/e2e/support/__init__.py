"""Programs and wires that the end-to-end tests play with."""
