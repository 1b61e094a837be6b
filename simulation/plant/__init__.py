"""The physical side of a house, simulated: load, sun, source, breakers. Pure: no file, clock or socket."""
