"""What to build: blueprints and facts become a plan, without touching the world."""
