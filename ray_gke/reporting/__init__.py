"""Telling it: events, plans and errors for people and for programs."""
