"""Doing it: the only room that changes the world."""
