"""Questions, small tasks, dialogues and preferences, all with their gold replies."""
