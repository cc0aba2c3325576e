"""One package a country: its tables as dated data, its published routines as pure functions."""
