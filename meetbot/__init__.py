"""meetbot: watches the Google Meet lessons that external partners join."""
