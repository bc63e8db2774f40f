"""The five systems the provider can stand in for: a directory each, and the story of what it must do."""
