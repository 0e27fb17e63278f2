"""pytest plugin for the tests of blueprints."""
